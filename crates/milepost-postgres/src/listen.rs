//! Hearing of other nodes' commits: a notification wakes, and a look now and then makes sure, as a
//! notification may get lost with its connection. What is heard is only that there is news.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, timeout};
use tokio_postgres::AsyncMessage;

use crate::{connect::Line, nodes, shared::Shared, trouble::Trouble, view::View};

/// Where nodes tell each other of commits.
pub(crate) const CHANNEL: &str = "milepost";
/// How long to wait before the database is tried again.
const PAUSE: Duration = Duration::from_millis(200);
/// How long the database has to answer before it counts as not there.
const ANSWER_MAX: Duration = Duration::from_secs(3);

/// Listens for as long as the node runs.
pub(crate) async fn run(shared: Arc<Shared>) {
    loop {
        if let Err(trouble) = listen(&shared).await {
            shared.tried(Some(trouble.to_string()));
        }
        sleep(PAUSE).await;
    }
}

async fn listen(shared: &Shared) -> Result<(), Trouble> {
    let mut line = shared.connector.line().await?;
    // Who runs is nothing to wait for a disk for.
    let listening = format!("SET synchronous_commit = off; LISTEN {CHANNEL}");
    line.client.batch_execute(&listening).await?;
    let mut keys = shared.keys.subscribe();
    let mut seen = Instant::now();
    loop {
        // Also what happened before anybody listened.
        look(shared).await?;
        let is_due = seen.elapsed() >= Duration::from_secs(nodes::SEEN_EVERY_S);
        if is_due || keys.has_changed().unwrap_or(false) {
            let own = keys.borrow_and_update().clone();
            let saying = nodes::be_seen(&line.client, shared.sequencer, own.as_ref());
            in_time(shared, saying).await?;
            seen = Instant::now();
        }
        while let Some(news) = next(shared, &mut line).await? {
            let catalog = shared.catalog();
            let head = news.epoch.filter(|epoch| *epoch == catalog.epoch);
            match head.and(news.head) {
                // Heard at no moment that is known.
                Some(head) => shared.saw(&catalog, head, 0),
                None => break,
            }
        }
    }
}

/// What a notification says.
struct News {
    head: Option<u64>,
    epoch: Option<i64>,
}

/// The next news; `None` when it is time to look.
async fn next(shared: &Shared, line: &mut Line) -> Result<Option<News>, Trouble> {
    loop {
        match timeout(shared.options.poll, line.messages.recv()).await {
            Err(_quiet) => return Ok(None),
            Ok(None) => return Err(Trouble::Late),
            Ok(Some(AsyncMessage::Notification(told))) => {
                let mut words = told.payload().split(' ');
                let head = words.next().and_then(|word| word.parse().ok());
                let epoch = words.next().and_then(|word| word.parse().ok());
                return Ok(Some(News { head, epoch }));
            }
            Ok(Some(_)) => {}
        }
    }
}

async fn look(shared: &Shared) -> Result<(), Trouble> {
    in_time(shared, async { View::open(shared).await?.end() }).await?;
    shared.tried(None);
    Ok(())
}

async fn in_time<T>(
    shared: &Shared,
    asking: impl Future<Output = Result<T, Trouble>>,
) -> Result<T, Trouble> {
    let answered = timeout(shared.options.read_deadline.min(ANSWER_MAX), asking).await;
    answered.map_err(|_late| Trouble::Late)?
}
