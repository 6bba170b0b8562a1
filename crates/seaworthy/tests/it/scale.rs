//! Many nodes on one PostgreSQL and one bucket, some of which fall.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use seaworthy_bucket::Bucket;
use seaworthy_testkit::{Postgres, image, require, wait_until};

use crate::product::User;
use crate::serving::Serving;

/// How many images are pushed while things fall.
const IMAGES: usize = 9;

/// A process on the shared store, with a data folder of its own.
fn process(user: &User, database: &str, bucket: &Bucket, arguments: &[&str]) -> Serving {
    let mut command = user.command();
    command
        .args(arguments)
        .args(["--listen", "127.0.0.1:0"])
        .env("SEAWORTHY_DATABASE", database)
        .env(
            "SEAWORTHY_BLOBS",
            format!(
                "s3://{}/blobs?endpoint={}",
                bucket.name(),
                bucket.endpoint()
            ),
        )
        .env("SEAWORTHY_S3_ACCESS_KEY", bucket.access_key())
        .env("SEAWORTHY_S3_SECRET_KEY", bucket.secret_key())
        // What a dead worker held is free again soon.
        .env("SEAWORTHY_LEASE_SECONDS", "2");
    Serving::start(command, user.path("log"))
}

#[test]
fn nodes_workers_and_the_database_fall_and_no_acknowledged_push_is_lost() {
    if !require("skopeo") {
        return;
    }
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let database = postgres.database();
    let bucket = Bucket::start();
    let users: Vec<User> = (0..5).map(|_| User::new()).collect();
    let serve = ["serve", "--role", "registry,api"];
    let nodes: Vec<Serving> = users
        .iter()
        .take(3)
        .map(|user| process(user, &database, &bucket, &serve))
        .collect();
    let mut workers: Vec<Serving> = users
        .iter()
        .skip(3)
        .map(|user| process(user, &database, &bucket, &["worker"]))
        .collect();
    let admin = nodes[0].become_admin();

    let layouts = User::new();
    for at in 0..IMAGES {
        image()
            .platform("linux/amd64")
            .layer(|layer| {
                layer
                    .file(
                        "/srv/node_modules/ws/package.json",
                        r#"{"name":"ws","version":"7.4.5"}"#,
                    )
                    .file("/srv/bytes", format!("{at} ").repeat(200_000))
            })
            .build()
            .write_oci_layout(&layouts.path(&at.to_string()))
            .unwrap();
    }
    let addresses: Vec<String> = nodes.iter().map(|it| it.address.clone()).collect();
    let acknowledged = Mutex::new(Vec::new());
    let mut nodes: Vec<Option<Serving>> = nodes.into_iter().map(Some).collect();
    thread::scope(|scope| {
        for lane in 0..3 {
            let (addresses, acknowledged, layouts, admin) =
                (&addresses, &acknowledged, &layouts, &admin);
            scope.spawn(move || {
                for at in (lane..IMAGES).step_by(3) {
                    // A client tries again, at another node behind the load balancer.
                    wait_until("a node takes the push", || {
                        addresses.iter().cycle().skip(at).take(3).any(|address| {
                            let layout = layouts.path(&at.to_string());
                            let pushed = Command::new("skopeo")
                                .args(["copy", "--quiet", "--dest-tls-verify=false"])
                                .args(["--dest-creds", admin])
                                .arg(format!("oci:{}", layout.display()))
                                .arg(format!("docker://{address}/team/app{at}:1"))
                                .stdin(Stdio::null())
                                .stderr(Stdio::null())
                                .status()
                                .unwrap();
                            pushed.success()
                        })
                    });
                    acknowledged.lock().unwrap().push(at);
                }
            });
        }
        let reached = |count: usize| {
            wait_until("enough was pushed", || {
                acknowledged.lock().unwrap().len() >= count
            });
        };
        reached(1);
        workers.remove(0).kill();
        reached(3);
        nodes[2].take().unwrap().kill();
        reached(4);
        postgres.kill();
        postgres.resume();
    });

    let node = nodes[1].as_ref().unwrap();
    let acknowledged = acknowledged.into_inner().unwrap();
    assert_eq!(acknowledged.len(), IMAGES);
    for at in acknowledged {
        let repository = format!("team/app{at}");
        let image = node.judged(&admin, &repository, "1");
        assert_eq!(image["state"], "done", "{image}");
        assert_eq!(image["verdict"], "fail", "{image}");
    }
    let page = node.ask("GET", "/readyz", None, b"");
    assert_eq!(page.text(), "ready\n");
}
