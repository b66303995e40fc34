//! What the command writes: whole texts to standard output, and lines folded to the reader's terminal.

use std::io::{ErrorKind, Write};

use terminal_size::{Width, terminal_size_of};

use crate::failure::Failure;

/// Columns where no terminal tells its own.
const PIPE_COLUMNS: usize = 100;
/// Longer lines are hard to read.
const MOST_COLUMNS: usize = 100;
/// Narrower terminals get this width, and fold by themselves.
const LEAST_COLUMNS: usize = 40;

/// Writes `text` to standard output, as [`harmless`] has it. A reader that has gone (`uringaio doctor | head`) is no failure; a full
/// disk is.
pub fn print(text: &str) -> Result<(), Failure> {
    deliver(&harmless(text)).map(|_| ())
}

/// The same for a text that is to be told as it is: one with colours, or JSON.
pub fn print_as_is(text: &str) -> Result<(), Failure> {
    deliver(text).map(|_| ())
}

/// The text without what a terminal would obey. Programs, files and variables may have any names.
pub fn harmless(text: &str) -> String {
    text.chars()
        .map(|letter| if letter.is_control() && !matches!(letter, '\n' | '\t') { '?' } else { letter })
        .collect()
}

/// The same, and whether the reader is still there.
pub fn deliver(text: &str) -> Result<bool, Failure> {
    let mut output = std::io::stdout();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::wanting(format!("standard output: {error}"))),
    }
}

/// What `serde_json` has made, as lines to print.
pub fn json(made: serde_json::Result<String>) -> Result<String, Failure> {
    Ok(made.map_err(|error| Failure::wanting(error.to_string()))? + "\n")
}

/// Columns of the terminal that standard output is; of a file or a pipe, those of [`PIPE_COLUMNS`].
pub fn columns() -> usize {
    let told = terminal_size_of(std::io::stdout()).map(|(Width(columns), _)| usize::from(columns));
    let told = told.filter(|&columns| columns > 0);
    told.map_or(PIPE_COLUMNS, |columns| columns.clamp(LEAST_COLUMNS, MOST_COLUMNS))
}

/// Folds `text` between words into lines of at most `width` columns; the first begins with `first`, the others are indented as
/// far. A word that is longer has a line of its own.
pub fn fold(first: &str, text: &str, width: usize) -> String {
    let indent = first.chars().count();
    let mut folded = String::from(first);
    let mut column = indent;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if column > indent {
            if column + 1 + length > width {
                folded.push('\n');
                folded.extend(std::iter::repeat_n(' ', indent));
                column = indent;
            } else {
                folded.push(' ');
                column += 1;
            }
        }
        folded.push_str(word);
        column += length;
    }
    folded.push('\n');
    folded
}

#[cfg(test)]
mod tests {
    use super::{fold, harmless};

    #[test]
    fn a_terminal_obeys_no_name() {
        assert_eq!(harmless("\x1b[31mred\u{9b}5m\r\n\x07\x7f"), "?[31mred?5m?\n??");
    }

    #[test]
    fn folds_between_words_and_indents() {
        assert_eq!(fold("ab  ", "one two three", 11), "ab  one two\n    three\n");
        assert_eq!(fold("", "unfoldable word", 4), "unfoldable\nword\n");
        assert_eq!(fold("- ", "", 10), "- \n");
    }
}
