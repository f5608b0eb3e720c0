//! The accountant's books: a copy of every entry, kept up to date by a link.
//!
//! The bank knows nothing of the accountant. The books are an SQLite file with the entries and, in the
//! same transaction, the *bookmark*: the link to go on from. So the file alone says what it lacks, also
//! when it comes from last week's backup.
//!
//! To reconcile, the accountant asks for the accounts *as of the position that the books show*
//! (`/v1/accounts/snapshots/{position}`). So the figures fit to the cent while transfers go on.

use std::{collections::BTreeMap, fmt, ops::ControlFlow, path::Path, time::Duration};

use milepost_semantics::Position;
use milepost_sync::{
    Event, Follower, HttpTransport, Options, Pull, PullError, Replica, ReplicaError, SqliteReplica,
    SystemClock, Url,
    follow::{self, Rest},
};

use crate::{
    account::Account,
    ledger::{Discrepancy, Ledger},
    reading::{self, Listing, ReadingError},
};

/// The table of the file that holds the entries.
const TABLE: &str = "transactions";

/// A copy of every entry of a bank.
#[derive(Debug)]
pub struct Books {
    /// The bank's base URL, without a slash at its end.
    bank: String,
    /// The entries of all accounts there.
    home: Url,
    replica: SqliteReplica,
    transport: HttpTransport,
}

/// What was fetched until the books were up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// How many entries the answers brought.
    pub entries: usize,
    /// How many answers there were.
    pub pages: usize,
    /// How many bytes they had.
    pub bytes: usize,
    /// Whether everything had to be fetched again.
    pub is_restarted: bool,
    /// Whether the books are proven, by the bank's digest, to hold what the bank holds.
    pub is_verified: bool,
}

/// Why the books are not up to date, or can't be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BooksError {
    /// The bank's URL is none.
    #[error("{url:?} is not the bank's URL, such as http://127.0.0.1:7700/v1")]
    Url {
        /// What was given.
        url: String,
    },
    /// The file can't be used.
    #[error("can't use the books")]
    Replica(#[from] ReplicaError),
    /// The bank's transactions can't be followed.
    #[error("can't follow the bank's transactions")]
    Pull(#[from] PullError),
    /// There is no going on.
    #[error("can't follow the bank's transactions")]
    Follow(#[from] follow::Failure),
    /// The bank's accounts can't be read.
    #[error("can't read the bank's accounts")]
    Reading(#[from] ReadingError),
    /// The figures don't fit.
    #[error("the books are wrong")]
    Discrepancy(#[from] Discrepancy),
}

/// How it goes with the books.
#[derive(Debug)]
pub enum News<'n> {
    /// They are up to date.
    UpToDate(Fetched, Statement<'n>),
    /// The bank gives no usable answer, and is asked again later.
    Waiting {
        /// How much later.
        pause: Duration,
        /// What came instead, for people.
        because: &'n str,
    },
}

/// Who is told the news, and says whether to go on.
pub type Listener<'l> = dyn FnMut(News<'_>) -> Result<ControlFlow<()>, BooksError> + 'l;

impl Books {
    /// Opens the books in a file, or begins new ones, of the bank whose base URL is `bank`.
    ///
    /// # Errors
    /// Where the URL is none, or the file can't be used.
    pub fn open(file: &Path, bank: &str) -> Result<Self, BooksError> {
        let no_url = |_| BooksError::Url {
            url: bank.to_owned(),
        };
        let base = bank.trim_end_matches('/');
        let home = Url::parse(&format!("{base}/accounts/-/transactions")).map_err(no_url)?;
        Ok(Self {
            bank: base.to_owned(),
            replica: SqliteReplica::open(file, TABLE, &home)?,
            transport: reading::transport(&home),
            home,
        })
    }

    /// Goes on from the bookmark, until the books are up to date and reconciled.
    ///
    /// # Errors
    /// Where the bank can't be reached for long, the file can't be written, or the figures don't fit.
    /// The books are whole all the same, and the next call goes on.
    pub fn catch_up(&mut self) -> Result<(Fetched, Ledger), BooksError> {
        let mut found = None;
        self.follow(Options::default(), &mut |news| match news {
            News::Waiting { .. } => Ok(ControlFlow::Continue(())),
            News::UpToDate(fetched, statement) => {
                found = Some((fetched, statement.reconciled()?));
                Ok(ControlFlow::Break(()))
            }
        })?;
        Ok(found.unwrap_or_default())
    }

    /// Goes on from the bookmark as `options` say, and tells how it goes.
    ///
    /// # Errors
    /// As [`Books::catch_up`], and whatever `tell` says.
    pub fn follow(&mut self, options: Options, tell: &mut Listener<'_>) -> Result<(), BooksError> {
        let mut follower = Follower::new(self.home.clone(), self.replica.held()?, options)?;
        let mut fetched = Fetched::default();
        let bank = &self.bank;
        Pull {
            follower: &mut follower,
            transport: &mut self.transport,
            replica: &mut self.replica,
            clock: &mut SystemClock::start(),
        }
        .run(&mut |event, meanwhile| {
            match event {
                Event::Applied {
                    changes,
                    body_bytes,
                    ..
                } => {
                    fetched.pages += 1;
                    fetched.entries += changes;
                    fetched.bytes += body_bytes;
                }
                Event::Restarting(_) => fetched.is_restarted = true,
                Event::CaughtUp(caught_up) => {
                    let fetched = Fetched {
                        is_verified: caught_up.verified,
                        ..std::mem::take(&mut fetched)
                    };
                    let statement = Statement {
                        bank,
                        replica: meanwhile.replica,
                        position: caught_up.position,
                    };
                    return tell(News::UpToDate(fetched, statement));
                }
                Event::Resting(Rest {
                    duration,
                    because: Some(because),
                }) => {
                    let pause = *duration;
                    return tell(News::Waiting { pause, because });
                }
                _ => {}
            }
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// The books as they stand at one position, in front of the bank whose they are.
#[derive(Debug)]
pub struct Statement<'b> {
    bank: &'b str,
    replica: &'b SqliteReplica,
    position: Position,
}

impl Statement<'_> {
    /// The entries, after it was checked that every transfer has two sides that add up to nothing, and
    /// that every balance, as of the books' position, is what its entries add up to.
    ///
    /// # Errors
    /// [`BooksError::Discrepancy`] where a cent is missing, or why that can't be found out.
    pub fn reconciled(&self) -> Result<Ledger, BooksError> {
        let ledger = self.ledger()?;
        ledger.check_double_entry()?;
        ledger.reconcile(&self.accounts()?)?;
        Ok(ledger)
    }

    fn ledger(&self) -> Result<Ledger, BooksError> {
        let mut ledger = Ledger::default();
        let mut entered = Ok(());
        self.replica.for_each(&mut |key, value| {
            if entered.is_ok() {
                entered = ledger.enter(key, value);
            }
            Ok(())
        })?;
        entered?;
        Ok(ledger)
    }

    /// The bank's accounts as they were at the books' position, however much was moved since.
    fn accounts(&self) -> Result<BTreeMap<String, Account>, BooksError> {
        let url = format!("{}/accounts/snapshots/{}", self.bank, self.position);
        let listing = Listing::read(&url)?;
        let accounts = listing.values::<Account>()?;
        Ok(accounts.into_iter().collect())
    }
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, pages, .. } = self;
        let answers = if *pages == 1 { "answer" } else { "answers" };
        write!(
            f,
            "fetched {entries} entries ({} bytes in {pages} {answers})",
            self.bytes
        )?;
        if self.is_restarted {
            f.write_str(", all of them again")?;
        }
        if self.is_verified {
            f.write_str(", equal to the bank's by its digest")?;
        }
        Ok(())
    }
}
