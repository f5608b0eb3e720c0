//! Balancers before one node that is there and two that are not: no client may notice the two.

use std::{fs, net::SocketAddr};

use crate::{
    bench::{Pinned, free_address},
    cargo::{program, root, run},
    cluster::{Answer, Ask, Balancer, Node, Place, ask},
};

const NGINX: &str = "deploy/nginx-nodes.conf";
/// What is adapted in it.
const LISTEN: &str = "listen 8080;";
const SERVER: &str = "    server 127.0.0.1:";
/// More than there are nodes, many times.
const ROUNDS: usize = 30;

/// Starts a node and both balancers, and sends requests.
///
/// # Errors
/// What a client noticed, or a balancer said of its configuration.
pub(super) fn check() -> Result<(), String> {
    let deployed = root().join("deploy/haproxy.cfg");
    run(program("/usr/sbin/haproxy")
        .args(["-c", "-q", "-f"])
        .arg(deployed))?;
    let place = Place::make()?;
    let host = place.network().host(21)?;
    let mut node = Node::new(1, host, vec!["--data".to_owned(), "data".to_owned()]);
    node.start(&place)?;
    node.wait_until_ready(&place)?;
    let nodes = [free_address()?, node.address()?, free_address()?];
    define(node.address()?)?;
    let haproxy = Balancer::before(&nodes, &place)?;
    for round in 0..ROUNDS {
        reads_and_transactions(haproxy.address, "haproxy", round)?;
        let put = Ask::put(&format!("/v1/notes/haproxy-{round}"), "{}".to_owned());
        demand(haproxy.address, &put)?;
    }
    let (nginx, _running) = nginx(&nodes, &place)?;
    for round in 0..ROUNDS {
        reads_and_transactions(nginx, "nginx", round)?;
        let mut create = Ask::put("/v1/notes", "{}".to_owned());
        create.method = "POST";
        demand(nginx, &create)?;
    }
    Ok(())
}

fn define(node: SocketAddr) -> Result<(), String> {
    demand(node, &Ask::put("/v1/-/collections/notes", "{}".to_owned()))
}

fn reads_and_transactions(door: SocketAddr, name: &str, round: usize) -> Result<(), String> {
    demand(door, &Ask::fetch("/v1/notes"))?;
    let kind = usize::from(name == "nginx");
    let id = format!("00000000-0000-7000-8000-{:012x}", 2 * round + kind);
    let text = format!(
        r#"{{"operations":[{{"method":"PUT","href":"/v1/notes/{name}-t{round}","ifNoneMatch":"*","value":{{}}}}]}}"#
    );
    demand(door, &Ask::put(&format!("/v1/-/transactions/{id}"), text))
}

/// Sends a request that must be carried out at once.
fn demand(door: SocketAddr, asked: &Ask) -> Result<(), String> {
    match ask(door, asked) {
        Answer::Told(response) if matches!(response.status, 200 | 201 | 204) => Ok(()),
        Answer::Told(response) => Err(format!(
            "{} {}: {} {}",
            asked.method,
            asked.target,
            response.status,
            String::from_utf8_lossy(&response.body)
        )),
        other => Err(format!("{} {}: {other:?}", asked.method, asked.target)),
    }
}

fn nginx(nodes: &[SocketAddr], place: &Place) -> Result<(SocketAddr, Pinned), String> {
    let address = free_address()?;
    let text =
        fs::read_to_string(root().join(NGINX)).map_err(|error| format!("{NGINX}: {error}"))?;
    let text = adapted(&text, address, nodes)?;
    let folder = place.folder("nginx")?;
    place.file("nginx/milepost.conf", &text)?;
    let whole = format!(
        "pid {0}/pid;\nerror_log {0}/errors;\nevents {{}}\nhttp {{ access_log off; client_body_temp_path {0}/body; \
         proxy_temp_path {0}/proxy; include {0}/milepost.conf; }}\n",
        folder.display()
    );
    let file = place.file("nginx/nginx.conf", &whole)?;
    run(program("/usr/sbin/nginx")
        .arg("-q")
        .arg("-t")
        .arg("-c")
        .arg(&file))?;
    let mut command = program("/usr/sbin/nginx");
    command.arg("-c").arg(&file).args(["-g", "daemon off;"]);
    let running = Pinned::start(command, address, &folder.join("log"))?;
    Ok((address, running))
}

/// The configuration with these addresses in place of its own.
fn adapted(text: &str, address: SocketAddr, nodes: &[SocketAddr]) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| line.starts_with(SERVER));
    let (Some(first), true) = (first, text.contains(LISTEN)) else {
        return Err(format!("{NGINX} has no line \"{LISTEN}\" or \"{SERVER}\""));
    };
    let mut adapted = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if number == first {
            adapted.extend(
                nodes
                    .iter()
                    .map(|node| format!("    server {node} max_fails=1 fail_timeout=1s;")),
            );
        }
        if !line.starts_with(SERVER) {
            adapted.push(line.replace(LISTEN, &format!("listen {address};")));
        }
    }
    Ok(adapted.join("\n"))
}
