//! Bars side by side: the one chart of this command, for reports as SVG and for terminals as text.

mod model;
mod svg;
mod terminal;

pub use model::{Bar, Chart, Group, Row, Verdict, factor};
pub use svg::{escape, svg};
pub use terminal::{Style, terminal};
