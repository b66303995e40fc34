//! What a chart holds.

/// A chart: groups of rows, two bars a row.
pub struct Chart {
    pub title: String,
    /// What is to be known of it, in short pieces.
    pub facts: Vec<String>,
    /// What the first and the second bar of each row stand for.
    pub sides: [&'static str; 2],
    pub groups: Vec<Group>,
    /// How to read it.
    pub note: String,
}

pub struct Group {
    pub title: String,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub label: String,
    pub bars: [Bar; 2],
    /// The second side by the first: the value, the lowest and the highest.
    pub ratio: [f64; 3],
    pub verdict: Verdict,
}

pub struct Bar {
    pub value: f64,
    pub least: f64,
    pub most: f64,
    /// The value as people read it.
    pub text: String,
    /// What else was measured.
    pub detail: String,
}

/// What the measurements of a row say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The second side was higher in every round.
    Faster,
    /// It was lower in every round.
    Slower,
    /// The rounds do not agree, or there was one alone.
    Unclear,
}

/// A ratio with as many digits as mean something.
pub fn factor(ratio: f64) -> String {
    if ratio < 9.95 { format!("{ratio:.2}") } else { format!("{ratio:.1}") }
}
