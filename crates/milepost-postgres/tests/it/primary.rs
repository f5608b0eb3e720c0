//! Nothing is asked of a server that may no longer be the primary.

use std::{sync::Arc, time::Duration};

use milepost_postgres::{Address, Options, Postgres};
use milepost_semantics::Preconditions;
use milepost_store::{Health, ReadError, conformance::keep};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::watch,
};

use crate::{
    cluster::{PASSWORD, cluster},
    proxy::Proxy,
    writing::{Node, define, key, open, put, written},
};

/// What a Patroni says.
#[derive(Clone, Copy, Debug)]
enum Says {
    /// That the server at this port is the primary.
    Primary(u16),
    /// Nothing: it is dead.
    Nothing,
}

/// A member of a cluster as far as its REST API goes, of short memory; its port.
async fn patroni() -> (u16, watch::Sender<Says>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
    let port = listener.local_addr().expect("an address").port();
    let says = watch::Sender::new(Says::Nothing);
    let said = says.subscribe();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut question = vec![0; 1024];
            let length = stream.read(&mut question).await.unwrap_or(0);
            question.truncate(length);
            let path = String::from_utf8_lossy(&question);
            if let Says::Primary(port) = *said.borrow() {
                let body = match path.split(' ').nth(1) {
                    Some("/cluster") => json!({ "members": [
                        { "role": "leader", "host": "127.0.0.1", "port": port } ] }),
                    Some("/config") => json!({ "ttl": 4, "loop_wait": 1, "retry_timeout": 2 }),
                    _ => json!({ "role": "primary", "timeline": 1 }),
                };
                let answer = format!("HTTP/1.0 200 OK\r\n\r\n{body}");
                // Who asked may be gone.
                let _ = stream.try_write(answer.as_bytes());
            }
            let _ = stream.shutdown().await;
        }
    });
    (port, says)
}

#[test]
fn reads_end_when_patroni_falls_silent_and_go_to_the_server_that_it_names_then() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let (port, says) = patroni().await;
        let (former, latter) = (
            Proxy::before(cluster.port()).await,
            Proxy::before(cluster.port()).await,
        );
        says.send_replace(Says::Primary(former.address.port()));
        let database = cluster.new_database();
        let url = format!("postgres://milepost@127.0.0.1:1/{database}");
        let address = Address::parse(&url).expect("an address");
        let member = format!("http://127.0.0.1:{port}");
        let options = Options {
            patroni: vec![member.parse().expect("a URL")],
            read_deadline: Duration::from_secs(3),
            ..Options::of(address.with_password(PASSWORD))
        };
        let node: Node = Arc::new(Postgres::open(options).await.expect("a store"));
        define(&node, "things", &open()).await;
        let id = key("things", "a");
        let made = written(&node, put(&id, &json!(1), Preconditions::default())).await;
        // Its PostgreSQL goes on, and looks like a primary.
        says.send_replace(Says::Nothing);
        let last = loop {
            if let Err(error) = node.read(&id, None).await {
                break error;
            }
        };
        assert!(matches!(last, ReadError::Unavailable(_)), "{last}");
        assert_eq!(latter.connection_count(), 0);
        assert!(matches!(node.health(), Health::Down(_)));
        says.send_replace(Says::Primary(latter.address.port()));
        let before = former.connection_count();
        let read = node.read(&id, None).await.expect("a primary again");
        assert_eq!(read, Some(made));
        assert!(latter.connection_count() > 0);
        assert_eq!(former.connection_count(), before);
    });
}
