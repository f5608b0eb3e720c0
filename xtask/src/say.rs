//! The only place where the chores print: data to stdout, talk to stderr.

/// Prints what a chore was asked for.
#[expect(clippy::print_stdout, reason = "the chores' one way to stdout")]
pub(crate) fn data(text: &str) {
    println!("{text}");
}

/// Tells the person in front of the terminal what is going on.
#[expect(clippy::print_stderr, reason = "the chores' one way to stderr")]
pub(crate) fn talk(text: &str) {
    eprintln!("{text}");
}
