//! One table.

/// A figure beside its peer's.
pub(super) struct Line {
    pub(super) what: String,
    pub(super) ours: f64,
    pub(super) peer: (&'static str, f64),
    /// Whether it is as good as it is to be.
    pub(super) wanted: bool,
}

#[derive(Default)]
pub(super) struct Report {
    lines: Vec<Line>,
    notes: Vec<String>,
}

impl Report {
    pub(super) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    pub(super) fn note(&mut self, text: &str) {
        self.notes.push(text.to_owned());
    }

    #[expect(clippy::print_stdout, reason = "the result of a benchmark")]
    pub(super) fn print(&self) {
        println!(
            "{:<36} {:>12} {:>12} {:<10} {:>7}",
            "", "ours", "peer", "", "ratio"
        );
        for line in &self.lines {
            let (name, theirs) = line.peer;
            let ratio = line.ours / theirs;
            let met = if line.wanted { "met" } else { "NOT MET" };
            println!(
                "{:<36} {:>12.1} {theirs:>12.1} {name:<10} {ratio:>7.2} {met}",
                line.what, line.ours
            );
        }
        for note in &self.notes {
            println!("{note}");
        }
    }
}

/// A count as a number to divide.
pub(super) fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
