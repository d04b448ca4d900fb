//! What may be made of an image, and into how many pixels.

use serde::Deserialize;

/// The largest width and height that can be asked for, in pixels; more is taken for this.
pub const MAX_SIDE: u32 = 2500;
/// The most pixels an image may have that is to be rendered.
pub const MAX_PIXELS: u64 = 50_000_000;
/// The largest file that is rendered, in bytes.
pub const MAX_BYTES: u64 = 25 * 1024 * 1024;
/// How good lossy formats are unless asked otherwise, of 100.
const DEFAULT_QUALITY: u8 = 80;

/// Why an image is not rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// A transformation that there is not.
    #[error("{0}")]
    Invalid(&'static str),
    /// Not a JPEG, PNG, GIF or WebP image, or a broken one.
    #[error("The object is no image that can be rendered")]
    NotAnImage,
    /// More pixels or bytes than are rendered.
    #[error("The image has too many pixels or bytes to be rendered")]
    TooLarge,
    /// It took too long, or too many others are being rendered.
    #[error("The image could not be rendered in time")]
    TooSlow,
}

impl ImageError {
    /// The HTTP status that says so.
    pub fn status(self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::NotAnImage => 422,
            Self::TooLarge => 413,
            Self::TooSlow => 504,
        }
    }
}

/// How an image is made to fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Resize {
    /// Fills the box; what stands out is cut off.
    #[default]
    Cover,
    /// Fits into the box.
    Contain,
    /// Is stretched to the box.
    Fill,
}

/// What a client asks for, in a query or in JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Asked {
    /// Pixels.
    #[serde(default)]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(default)]
    pub height: Option<u32>,
    /// `cover`, `contain` or `fill`.
    #[serde(default)]
    pub resize: Option<Resize>,
    /// 20 to 100.
    #[serde(default)]
    pub quality: Option<u8>,
    /// `origin`: the format it has, whatever else the client takes.
    #[serde(default)]
    pub format: Option<String>,
}

/// What is made of an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transformation {
    width: Option<u32>,
    height: Option<u32>,
    resize: Resize,
    quality: u8,
    keeps_format: bool,
}

/// Which pixels of an image become which: a piece of it, scaled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Geometry {
    /// Left, top, width and height of the piece, in pixels of the source.
    pub piece: (u32, u32, u32, u32),
    /// Width and height of the result, in pixels.
    pub result: (u32, u32),
}

impl Transformation {
    /// What is asked for, where there is such a thing.
    pub fn of(asked: &Asked) -> Result<Self, ImageError> {
        let quality = asked.quality.unwrap_or(DEFAULT_QUALITY);
        if !(20..=100).contains(&quality) {
            return Err(ImageError::Invalid("quality must be 20 to 100"));
        }
        let keeps_format = match asked.format.as_deref() {
            None => false,
            Some("origin") => true,
            Some(_) => return Err(ImageError::Invalid("format must be origin")),
        };
        // As with Supabase, 0 is as if it were not there.
        let side = |side: Option<u32>| side.filter(|side| *side > 0).map(|s| s.min(MAX_SIDE));
        Ok(Self {
            width: side(asked.width),
            height: side(asked.height),
            resize: asked.resize.unwrap_or_default(),
            quality,
            keeps_format,
        })
    }

    /// The same as text, in one spelling, as signed URLs carry it.
    pub fn spelled(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.width.map(|width| format!("width:{width}")));
        words.extend(self.height.map(|height| format!("height:{height}")));
        let resize = match self.resize {
            Resize::Cover => "cover",
            Resize::Contain => "contain",
            Resize::Fill => "fill",
        };
        words.push(format!("resize:{resize}"));
        words.push(format!("quality:{}", self.quality));
        if self.keeps_format {
            words.push("format:origin".to_owned());
        }
        words.join(",")
    }

    /// What [`Transformation::spelled`] wrote.
    pub fn read(text: &str) -> Result<Self, ImageError> {
        let invalid = ImageError::Invalid("the transformation cannot be read");
        let mut asked = Asked::default();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let (name, value) = word.split_once(':').ok_or(invalid)?;
            let number = || value.parse().map_err(|_| invalid);
            match name {
                "width" => asked.width = Some(number()?),
                "height" => asked.height = Some(number()?),
                "quality" => asked.quality = Some(value.parse().map_err(|_| invalid)?),
                "format" => asked.format = Some(value.to_owned()),
                "resize" => {
                    asked.resize = Some(match value {
                        "cover" => Resize::Cover,
                        "contain" => Resize::Contain,
                        "fill" => Resize::Fill,
                        _ => return Err(invalid),
                    });
                }
                _ => return Err(invalid),
            }
        }
        Self::of(&asked)
    }

    /// How good a lossy format is to be, of 100.
    pub fn quality(&self) -> u8 {
        self.quality
    }

    /// Whether the result has the source's format whatever else the client takes.
    pub fn keeps_format(&self) -> bool {
        self.keeps_format
    }

    /// What becomes of an image of `width` by `height` pixels. Nothing is enlarged but by `fill`.
    pub fn geometry(&self, width: u32, height: u32) -> Geometry {
        let whole = (0, 0, width, height);
        let (wanted_width, wanted_height) = match (self.width, self.height) {
            (None, None) => {
                return Geometry {
                    piece: whole,
                    result: (width, height),
                };
            }
            (Some(w), None) if self.resize == Resize::Fill => (w, height),
            (None, Some(h)) if self.resize == Resize::Fill => (width, h),
            (Some(w), None) => (w, scaled(height, w, width)),
            (None, Some(h)) => (scaled(width, h, height), h),
            (Some(w), Some(h)) => (w, h),
        };
        match self.resize {
            Resize::Fill => Geometry {
                piece: whole,
                result: (wanted_width, wanted_height),
            },
            Resize::Contain => Geometry {
                piece: whole,
                result: contained((width, height), (wanted_width, wanted_height)),
            },
            Resize::Cover => covering((width, height), (wanted_width, wanted_height)),
        }
    }
}

/// `side` times `by` over `of`, at least one pixel.
fn scaled(side: u32, by: u32, of: u32) -> u32 {
    let exact = u64::from(side) * u64::from(by);
    let rounded = (exact + u64::from(of) / 2) / u64::from(of.max(1));
    u32::try_from(rounded).unwrap_or(u32::MAX).max(1)
}

fn contained((width, height): (u32, u32), (box_width, box_height): (u32, u32)) -> (u32, u32) {
    if box_width >= width && box_height >= height {
        return (width, height);
    }
    if u64::from(box_width) * u64::from(height) <= u64::from(box_height) * u64::from(width) {
        (box_width, scaled(height, box_width, width))
    } else {
        (scaled(width, box_height, height), box_height)
    }
}

fn covering((width, height): (u32, u32), (box_width, box_height): (u32, u32)) -> Geometry {
    // Where the box is larger than the image, only what stands out of it goes.
    let enlarges = box_width > width || box_height > height;
    if enlarges {
        let (w, h) = (box_width.min(width), box_height.min(height));
        return Geometry {
            piece: ((width - w) / 2, (height - h) / 2, w, h),
            result: (w, h),
        };
    }
    // The largest piece of the box's proportions.
    let by_width = scaled(box_height, width, box_width).min(height);
    let by_height = scaled(box_width, height, box_height).min(width);
    let wide = u64::from(width) * u64::from(box_height) > u64::from(box_width) * u64::from(height);
    let (w, h) = if wide {
        (by_height, height)
    } else {
        (width, by_width)
    };
    Geometry {
        piece: ((width - w) / 2, (height - h) / 2, w, h),
        result: (box_width, box_height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(text: &str, size: (u32, u32)) -> Geometry {
        let transformation = Transformation::read(text).expect(text);
        transformation.geometry(size.0, size.1)
    }

    #[test]
    fn boxes_are_covered_fitted_or_filled() {
        let table = [
            ("", (400, 200), (0, 0, 400, 200), (400, 200)),
            ("width:100", (400, 200), (0, 0, 400, 200), (100, 50)),
            ("height:100", (400, 200), (0, 0, 400, 200), (200, 100)),
            (
                "width:100,height:100",
                (400, 200),
                (100, 0, 200, 200),
                (100, 100),
            ),
            (
                "width:100,height:100",
                (200, 400),
                (0, 100, 200, 200),
                (100, 100),
            ),
            (
                "width:100,height:100,resize:contain",
                (400, 200),
                (0, 0, 400, 200),
                (100, 50),
            ),
            (
                "width:100,height:100,resize:contain",
                (200, 400),
                (0, 0, 200, 400),
                (50, 100),
            ),
            (
                "width:100,height:100,resize:fill",
                (400, 200),
                (0, 0, 400, 200),
                (100, 100),
            ),
            (
                "width:900,height:100",
                (400, 200),
                (0, 50, 400, 100),
                (400, 100),
            ),
            (
                "width:900,resize:contain",
                (400, 200),
                (0, 0, 400, 200),
                (400, 200),
            ),
            ("width:1,resize:contain", (5000, 1), (0, 0, 5000, 1), (1, 1)),
        ];
        for (text, size, piece, result) in table {
            assert_eq!(
                geometry(text, size),
                Geometry { piece, result },
                "{text} of {size:?}"
            );
        }
    }

    #[test]
    fn the_spelling_reads_back() {
        for text in ["width:9000,resize:contain", "quality:20,format:origin", ""] {
            let transformation = Transformation::read(text).expect(text);
            assert_eq!(
                Transformation::read(&transformation.spelled()),
                Ok(transformation)
            );
        }
        for text in [
            "quality:19",
            "quality:101",
            "format:bmp",
            "resize:none",
            "x:1",
            "width:-1",
        ] {
            assert!(Transformation::read(text).is_err(), "{text}");
        }
    }
}
