//! The accountant's program: keeps books of a bank up to date, and reconciles them each time.

use std::{ops::ControlFlow, path::PathBuf, time::Duration};

use milepost_sync::Options;

use crate::{
    books::{Books, BooksError, Fetched, News},
    ledger::Ledger,
    say,
};

/// How long the bank may hold a question back until there is news.
const WAIT: Duration = Duration::from_secs(20);

/// Whose books, and where.
#[derive(Clone, Debug)]
pub struct Accountant {
    /// The bank's base URL.
    pub bank: String,
    /// The file; made where there is none.
    pub books: PathBuf,
    /// Whether to go on when the books are up to date.
    pub is_following: bool,
}

/// Brings the books up to date, and says what was found.
///
/// # Errors
/// [`BooksError`] says why they are not, or that the figures don't fit.
pub fn account(accountant: &Accountant) -> Result<(), BooksError> {
    let mut books = Books::open(&accountant.books, &accountant.bank)?;
    let options = match accountant.is_following {
        false => Options::default(),
        true => Options {
            is_endless: true,
            wait: WAIT,
            failures_max: None,
            ..Options::default()
        },
    };
    // Empty answers are no news, but at the beginning, and after a time without any.
    let mut is_awaited = true;
    books.follow(options, &mut |news| {
        let (fetched, statement) = match news {
            News::UpToDate(fetched, statement) => (fetched, statement),
            News::Waiting { pause, because } => {
                is_awaited = true;
                let seconds = pause.as_secs_f32();
                say::line(format!(
                    "  {because}; the bank is asked again in {seconds:.1} s"
                ));
                return Ok(ControlFlow::Continue(()));
            }
        };
        if std::mem::take(&mut is_awaited) || fetched.entries > 0 {
            report(&fetched, &statement.reconciled()?);
        }
        Ok(match accountant.is_following {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    })
}

/// Says what was fetched, and that it is right.
pub fn report(fetched: &Fetched, ledger: &Ledger) {
    say::line(format!("  {fetched}"));
    say::line(format!(
        "  reconciled: {} transfers of two sides that add up to nothing; every balance is the sum of its entries",
        ledger.transfers()
    ));
}
