//! The customers: many at once, each giving orders until every one has an answer that counts.
//!
//! A customer's whole art is to send the same order again when there was no answer. Now and then one
//! loses an answer that did come, as if the connection had broken, and repeats an order that was
//! carried out: it must not move money twice.

use std::{
    fmt,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use http::{Method, header::CONTENT_TYPE};
use milepost_sync::{
    Answer, Clock as _, HttpTransport, Request, SystemClock, Transport as _, Url,
    follow::pace::Dice, transport::HttpOptions,
};
use serde_json::json;

use super::{Order, StoryError, door::FrontDoor};

/// How many there are.
pub(super) const CUSTOMERS: usize = 8;
/// Every so many orders, the answer is lost.
const LOST_EVERY: usize = 10;
/// Every so many orders, one is given that can't be carried out: to an account in another currency.
const FOREIGN_EVERY: usize = 15;
/// The most that an order moves: often enough more than there is.
const AMOUNT_CENTS_MAX: u64 = 60_000;
/// How often an order is sent without an answer before the story is given up.
const TRIES_MAX: usize = 2_000;
/// How long a customer waits before sending again.
const PAUSE: Duration = Duration::from_millis(10);

/// What customers were told.
#[derive(Debug, Default)]
pub(super) struct Diary {
    /// Orders that were answered to be carried out.
    pub(super) acknowledged: Vec<Order>,
    /// How many were answered not to be.
    refused: usize,
    /// How many times an order was sent again.
    repeated: usize,
    /// How many of these had been carried out before.
    found_done: usize,
}

/// How far the customers are.
#[derive(Default)]
pub(super) struct Progress {
    counts: Mutex<Counts>,
    moved: Condvar,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    answered: usize,
    gone: usize,
}

/// Lets all customers give their orders, while `meanwhile` happens.
pub(super) fn live(
    day: &str,
    orders: usize,
    door: &FrontDoor,
    meanwhile: impl FnOnce(&Progress) -> Result<(), StoryError>,
) -> Result<Diary, StoryError> {
    let progress = Progress::default();
    thread::scope(|scope| {
        let progress = &progress;
        let customers: Vec<_> = (0..CUSTOMERS)
            .map(|number| {
                scope.spawn(move || {
                    let diary = Customer::new(day, number, door).live(orders, progress);
                    progress.count(|counts| counts.gone += 1);
                    diary
                })
            })
            .collect();
        let happened = meanwhile(progress);
        if happened.is_err() {
            door.close();
        }
        let mut all = Diary::default();
        let diaries = customers.into_iter().map(|customer| customer.join());
        for diary in diaries.collect::<Vec<_>>() {
            let diary = diary.map_err(|_panic| StoryError::Promise {
                what: "a customer fell silent".to_owned(),
            });
            all.add(diary??);
        }
        happened.map(|()| all)
    })
}

/// Somebody with orders to give.
struct Customer<'s> {
    day: &'s str,
    number: usize,
    door: &'s FrontDoor,
    transport: HttpTransport,
    clock: SystemClock,
    dice: Dice,
    diary: Diary,
}

impl<'s> Customer<'s> {
    fn new(day: &'s str, number: usize, door: &'s FrontDoor) -> Self {
        let options = HttpOptions {
            is_direct: true,
            ..HttpOptions::default()
        };
        Self {
            day,
            number,
            door,
            transport: HttpTransport::new(options),
            clock: SystemClock::start(),
            // The same every time: a story that went wrong can be told again.
            dice: Dice::new((number + day.len() * CUSTOMERS) as u64),
            diary: Diary::default(),
        }
    }

    fn live(mut self, orders: usize, progress: &Progress) -> Result<Diary, StoryError> {
        for n in 1..=orders {
            let order = self.order(n);
            let mut answer = self.insist(&order)?;
            if n % LOST_EVERY == 0 {
                answer = self.again(&order, &answer)?;
            }
            self.note(order, &answer)?;
            progress.count(|counts| counts.answered += 1);
        }
        Ok(self.diary)
    }

    fn order(&mut self, n: usize) -> Order {
        let from = 11 + self.throw(10);
        let to = match n % FOREIGN_EVERY {
            0 => 21,
            _ => 11 + (from - 11 + 1 + self.throw(9)) % 10,
        };
        let document = json!({
            "id": format!("{}-{}-{n}", self.day, self.number),
            "from": from.to_string(),
            "to": to.to_string(),
            "amount": 1 + self.throw(AMOUNT_CENTS_MAX),
            "currency": "EUR",
        });
        Order::parse(&document).expect("customers know how orders are written")
    }

    fn throw(&mut self, sides: u64) -> u64 {
        self.dice.throw() % sides
    }

    /// Sends an order until there is an answer that counts.
    fn insist(&mut self, order: &Order) -> Result<Answer, StoryError> {
        let mut last = "by nobody".to_owned();
        for _ in 0..TRIES_MAX {
            let Some(url) = self.door.url() else { break };
            match self.transport.send(&request(&url, order)?) {
                Ok(answer) if answer.status == 503 => "503".clone_into(&mut last),
                Ok(answer) => return Ok(answer),
                Err(unanswered) => last = unanswered.to_string(),
            }
            self.diary.repeated += 1;
            self.clock.wait(PAUSE);
        }
        Err(misanswered(order, last))
    }

    /// Repeats an order whose answer was lost: one that was carried out must be answered as before.
    fn again(&mut self, order: &Order, lost: &Answer) -> Result<Answer, StoryError> {
        self.diary.repeated += 1;
        let answer = self.insist(order)?;
        let was_done = matches!(lost.status, 200 | 201);
        if was_done && (answer.status != 200 || answer.body != lost.body) {
            let text = format!("{} after {}", answer.status, lost.status);
            return Err(misanswered(order, text));
        }
        Ok(answer)
    }

    fn note(&mut self, order: Order, answer: &Answer) -> Result<(), StoryError> {
        match answer.status {
            201 => self.diary.acknowledged.push(order),
            200 => {
                self.diary.found_done += 1;
                self.diary.acknowledged.push(order);
            }
            422 => self.diary.refused += 1,
            other => return Err(misanswered(&order, other.to_string())),
        }
        Ok(())
    }
}

fn request(bank: &str, order: &Order) -> Result<Request, StoryError> {
    let url = Url::parse(&format!("{bank}/transfers"));
    let mut document = order.to_json();
    if let Some(members) = document.as_object_mut() {
        members.insert("id".to_owned(), order.id.as_str().into());
    }
    Ok(Request {
        method: Method::POST,
        body: Some(document.to_string().into_bytes()),
        ..Request::get(url.map_err(|error| misanswered(order, error.to_string()))?)
    }
    .field(CONTENT_TYPE, "application/json"))
}

fn misanswered(order: &Order, answer: String) -> StoryError {
    StoryError::Answer {
        order: order.id.to_string(),
        answer,
    }
}

impl Diary {
    pub(super) fn add(&mut self, mut other: Self) {
        self.acknowledged.append(&mut other.acknowledged);
        self.refused += other.refused;
        self.repeated += other.repeated;
        self.found_done += other.found_done;
    }
}

impl fmt::Display for Diary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            refused,
            repeated,
            found_done,
            ..
        } = self;
        let made = self.acknowledged.len();
        write!(
            f,
            "{made} transfers made, {refused} refused; {repeated} times an order was sent again, \
             {found_done} of these had been carried out before"
        )
    }
}

impl Progress {
    /// Waits until so many orders were answered, or nobody is left to give any.
    pub(super) fn wait_for(&self, answered: usize) {
        let counts = self.held();
        let waiting = |counts: &mut Counts| counts.answered < answered && counts.gone < CUSTOMERS;
        drop(self.moved.wait_while(counts, waiting));
    }

    pub(super) fn answered(&self) -> usize {
        self.held().answered
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.held());
        self.moved.notify_all();
    }

    fn held(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
