//! Decoding, scaling and encoding. Formats are told by the bytes, whatever the uploader said.

use std::io::Cursor;

use fast_image_resize::{ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use super::Takes;
use crate::domain::image::{Geometry, ImageError, MAX_PIXELS, Transformation};

/// The most memory that decoding may take, in bytes: four of each pixel, and half as much again.
const MAX_ALLOCATION: u64 = MAX_PIXELS * 6;
/// The longest side of an image that is decoded at all, in pixels.
const MAX_SOURCE_SIDE: u32 = 65_535;

/// An image that was rendered.
pub(super) struct Rendered {
    pub(super) bytes: Vec<u8>,
    pub(super) mimetype: &'static str,
}

/// What `transformation` makes of the image in `bytes`.
pub(super) fn render(
    bytes: &[u8],
    transformation: Transformation,
    takes: Takes,
) -> Result<Rendered, ImageError> {
    let (source, format) = decode(bytes)?;
    let geometry = transformation.geometry(source.width(), source.height());
    let scaled = scale(&source, geometry)?;
    let own = encode(&scaled, format, transformation.quality())?;
    if takes == Takes::Origin || format == ImageFormat::WebP {
        return Ok(own);
    }
    let webp = encode(&scaled, ImageFormat::WebP, transformation.quality())?;
    // WebP is written without loss here, and of a photograph that is larger than its JPEG.
    if format == ImageFormat::Jpeg && webp.bytes.len() >= own.bytes.len() {
        return Ok(own);
    }
    Ok(webp)
}

fn decode(bytes: &[u8]) -> Result<(DynamicImage, ImageFormat), ImageError> {
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| ImageError::NotAnImage)?;
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOCATION);
    limits.max_image_width = Some(MAX_SOURCE_SIDE);
    limits.max_image_height = Some(MAX_SOURCE_SIDE);
    reader.limits(limits);
    let format = reader.format().ok_or(ImageError::NotAnImage)?;
    let mut decoder = reader.into_decoder().map_err(|error| told(&error))?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooLarge);
    }
    let orientation = decoder.orientation().map_err(|error| told(&error))?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| told(&error))?;
    image.apply_orientation(orientation);
    let image = if image.color().has_alpha() {
        DynamicImage::ImageRgba8(image.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(image.into_rgb8())
    };
    Ok((image, format))
}

fn told(error: &image::ImageError) -> ImageError {
    match error {
        image::ImageError::Limits(_) => ImageError::TooLarge,
        image::ImageError::Decoding(_)
        | image::ImageError::Encoding(_)
        | image::ImageError::Parameter(_)
        | image::ImageError::Unsupported(_)
        | image::ImageError::IoError(_) => ImageError::NotAnImage,
    }
}

fn scale(source: &DynamicImage, geometry: Geometry) -> Result<DynamicImage, ImageError> {
    let (left, top, width, height) = geometry.piece;
    let (to_width, to_height) = geometry.result;
    if (width, height) == (to_width, to_height) {
        return Ok(source.crop_imm(left, top, width, height));
    }
    let mut scaled = DynamicImage::new(to_width, to_height, source.color());
    let piece = ResizeOptions::new().crop(
        f64::from(left),
        f64::from(top),
        f64::from(width),
        f64::from(height),
    );
    Resizer::new()
        .resize(source, &mut scaled, &piece)
        .map_err(|_| ImageError::NotAnImage)?;
    Ok(scaled)
}

fn encode(image: &DynamicImage, format: ImageFormat, quality: u8) -> Result<Rendered, ImageError> {
    let mut bytes = Vec::new();
    let written = if format == ImageFormat::Jpeg {
        let flat = image.to_rgb8();
        flat.write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality))
    } else {
        image.write_to(&mut Cursor::new(&mut bytes), format)
    };
    written.map_err(|_| ImageError::NotAnImage)?;
    Ok(Rendered {
        bytes,
        mimetype: format.to_mime_type(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let image = DynamicImage::ImageRgb8(image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([
                u8::try_from(x % 256).expect("a byte"),
                u8::try_from(y % 256).expect("a byte"),
                7,
            ])
        }));
        encode(&image, format, 90).expect("an image").bytes
    }

    #[test]
    fn every_format_is_rendered_in_its_own() {
        let formats = [
            ImageFormat::Jpeg,
            ImageFormat::Png,
            ImageFormat::Gif,
            ImageFormat::WebP,
        ];
        for format in formats {
            let bytes = picture(40, 20, format);
            let wanted = Transformation::read("width:10,height:10").expect("a transformation");
            let rendered = render(&bytes, wanted, Takes::Origin).expect("rendered");
            assert_eq!(rendered.mimetype, format.to_mime_type());
            let (image, found) = decode(&rendered.bytes).expect("an image");
            assert_eq!((image.width(), image.height(), found), (10, 10, format));
        }
    }

    #[test]
    fn who_takes_webp_gets_it() {
        let bytes = picture(40, 20, ImageFormat::Png);
        let wanted = Transformation::read("width:10").expect("a transformation");
        let rendered = render(&bytes, wanted, Takes::WebP).expect("rendered");
        assert_eq!(rendered.mimetype, "image/webp");
    }

    #[test]
    fn what_is_no_image_or_too_large_is_refused() {
        let wanted = Transformation::read("width:10").expect("a transformation");
        for bytes in [&b""[..], b"<svg/>", b"\x89PNG\r\n\x1a\n", b"GIF89a"] {
            let refused = render(bytes, wanted, Takes::Origin).map(|image| image.mimetype);
            assert_eq!(refused, Err(ImageError::NotAnImage));
        }
        // A PNG that says it is 100,000 pixels wide and high.
        let mut bomb = picture(1, 1, ImageFormat::Png);
        for offset in [16, 20] {
            bomb.splice(offset..offset + 4, 100_000_u32.to_be_bytes());
        }
        // Its header's checksum, over what it says now.
        let checksum = crc32(&bomb[12..29]);
        bomb.splice(29..33, checksum.to_be_bytes());
        let refused = render(&bomb, wanted, Takes::Origin).map(|image| image.mimetype);
        assert_eq!(refused, Err(ImageError::TooLarge));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
            })
        })
    }
}
