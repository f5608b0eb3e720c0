//! What is said to people, on stdout. Whoever closed it doesn't listen.

use std::{
    fmt::Display,
    io::{Write as _, stdout},
};

/// Says a line.
pub fn line(text: impl Display) {
    let mut stdout = stdout().lock();
    // There is nobody to tell that nobody listens.
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// Begins a chapter.
pub fn chapter(title: &str) {
    line(format!("\n{title}"));
}
