//! The thread that a sequencer runs on, with a runtime of its own.
//!
//! All writes of a node wait for its sequencer, and that waits for the database. Were it one task among those
//! that read and answer requests, each answer of the database would wait its turn behind hundreds of these, and
//! the database meanwhile for the next batch. A thread of its own has its turn at once.

use std::{sync::Arc, thread};

use tokio::{
    runtime,
    sync::{mpsc, oneshot},
};

use super::{Request, Sequencing, run};
use crate::{connect::Connector, nodes::Node, shared::Shared, trouble::Trouble};

/// What a sequencer needs to go on once it is connected.
type Rest = (Arc<Shared>, mpsc::Receiver<Request>);

/// A sequencer that is connected, and waits for what it needs to go on.
pub(crate) struct Begun {
    /// What it is called among nodes.
    pub(crate) sequencer: i64,
    rest: oneshot::Sender<Rest>,
}

impl Begun {
    /// Carries out what comes, until nobody can send any more.
    pub(crate) fn go_on(self, shared: Arc<Shared>, waiting: mpsc::Receiver<Request>) {
        // One that is gone has dropped its end of the queue too: whoever writes is told.
        let _ = self.rest.send((shared, waiting));
    }
}

/// Begins a sequencer on a thread of its own, with a first connection, if the nodes that run agree.
pub(crate) async fn begin(connector: &Connector, node: &Node) -> Result<Begun, Trouble> {
    let (mut tell, told) = oneshot::channel();
    let (rest, awaited) = oneshot::channel();
    let (connector, node) = (connector.clone(), node.clone());
    let sequencing = async move {
        let begun = tokio::select! {
            begun = Sequencing::begin(&connector, &node) => begun,
            // Whoever wanted it doesn't wait any more.
            () = tell.closed() => return,
        };
        let sequencing = match begun {
            Ok(sequencing) => sequencing,
            Err(trouble) => return drop(tell.send(Err(trouble))),
        };
        let _ = tell.send(Ok(sequencing.sequencer));
        if let Ok((shared, waiting)) = awaited.await {
            run(shared, sequencing, waiting).await;
        }
    };
    spawn(sequencing).map_err(Trouble::Thread)?;
    let sequencer = told.await.unwrap_or(Err(Trouble::Late))?;
    Ok(Begun { sequencer, rest })
}

fn spawn(sequencing: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
    let thread = thread::Builder::new().name("sequencer".to_owned());
    thread.spawn(move || {
        // Where there is none, what was to run on it is dropped, and who waits for it is told.
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        if let Ok(runtime) = runtime {
            runtime.block_on(sequencing);
        }
    })?;
    Ok(())
}
