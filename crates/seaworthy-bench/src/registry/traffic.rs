//! Pushing and pulling an image, as clients do it.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use super::salt::{Blob, Salted};
use super::wire::{Answer, Connection, Request};

/// A repository of a registry, and what opens it.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) repository: String,
    /// The value of `Authorization`, where the registry wants one.
    pub(crate) authorization: Option<String>,
}

/// How bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// `POST`, and the whole blob with the `PUT`.
    Monolithic,
    /// `POST`, the whole blob with a `PATCH`, and an empty `PUT`: as Docker does it.
    Streamed,
}

/// How a push goes about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) manner: Manner,
    pub(crate) connections: usize,
    /// Bytes a second of each connection, where there is a limit.
    pub(crate) pace: Option<u64>,
}

impl Target {
    fn request<'a>(&'a self, method: &'a str, target: &'a str) -> Request<'a> {
        Request {
            method,
            target,
            authorization: self.authorization.as_deref(),
            media_type: None,
        }
    }

    /// Pushes all blobs of an image and then its manifest under `tag`. Says how long
    /// that took.
    pub(crate) fn push(&self, image: &Salted<'_>, tag: &str, way: Way) -> anyhow::Result<Duration> {
        let mut order: Vec<&Blob<'_>> = image.blobs.iter().collect();
        order.sort_by_key(|blob| std::cmp::Reverse(blob.size()));
        let mut connections = self.open(way.connections)?;
        let begun = Instant::now();
        divide(&mut connections, &order, &|connection, blob| {
            self.upload(connection, blob, way)
        })?;
        let connection = connections.first_mut().context("there is a connection")?;
        self.push_manifest(connection, image, tag)?;
        Ok(begun.elapsed())
    }

    /// Uploads those blobs of an image that the repository has not, one after the
    /// other, bottom first.
    pub(crate) fn push_missing(
        &self,
        connection: &mut Connection,
        image: &Salted<'_>,
        way: Way,
    ) -> anyhow::Result<()> {
        for blob in &image.blobs {
            let target = format!("/v2/{}/blobs/{}", self.repository, blob.digest);
            let answer = connection.fetch(self.request("HEAD", &target), &mut |_| ())?;
            match answer.status {
                200 => {}
                404 => self.upload(connection, blob, way)?,
                other => bail!("HEAD {target} answers {other}"),
            }
        }
        Ok(())
    }

    /// Puts the manifest.
    pub(crate) fn push_manifest(
        &self,
        connection: &mut Connection,
        image: &Salted<'_>,
        tag: &str,
    ) -> anyhow::Result<()> {
        let target = format!("/v2/{}/manifests/{tag}", self.repository);
        let request = Request {
            media_type: Some(Salted::MEDIA_TYPE),
            ..self.request("PUT", &target)
        };
        expect(
            connection.send(request, &[&image.manifest], None)?,
            201,
            &target,
        )?;
        Ok(())
    }

    fn upload(&self, connection: &mut Connection, blob: &Blob<'_>, way: Way) -> anyhow::Result<()> {
        let begin = format!("/v2/{}/blobs/uploads/", self.repository);
        let answer = connection.send(self.request("POST", &begin), &[], None)?;
        let mut place = location(&expect(answer, 202, &begin)?)?;
        let bytes = Request {
            media_type: Some("application/octet-stream"),
            ..self.request("PATCH", &place)
        };
        if way.manner == Manner::Streamed {
            let answer = connection.send(bytes, &blob.parts(), way.pace)?;
            place = location(&expect(answer, 202, "the PATCH of an upload")?)?;
        }
        let mark = if place.contains('?') { '&' } else { '?' };
        let end = format!("{place}{mark}digest={}", blob.digest);
        let put = Request {
            media_type: Some("application/octet-stream"),
            ..self.request("PUT", &end)
        };
        let answer = match way.manner {
            Manner::Monolithic => connection.send(put, &blob.parts(), way.pace)?,
            Manner::Streamed => connection.send(put, &[], None)?,
        };
        expect(answer, 201, "the PUT of an upload")?;
        Ok(())
    }

    /// Reads every blob of an image and says how long that took.
    pub(crate) fn pull(&self, image: &Salted<'_>, connections: usize) -> anyhow::Result<Duration> {
        let mut order: Vec<&Blob<'_>> = image.blobs.iter().collect();
        order.sort_by_key(|blob| std::cmp::Reverse(blob.size()));
        let mut connections = self.open(connections)?;
        let begun = Instant::now();
        divide(&mut connections, &order, &|connection, blob| {
            let target = format!("/v2/{}/blobs/{}", self.repository, blob.digest);
            let mut count = 0;
            let answer = connection.fetch(self.request("GET", &target), &mut |piece| {
                count += piece.len() as u64;
            })?;
            expect(answer, 200, &target)?;
            anyhow::ensure!(count == blob.size(), "GET {target} gives {count} bytes");
            Ok(())
        })?;
        Ok(begun.elapsed())
    }

    /// The bytes of a request for the manifest of `tag`.
    pub(crate) fn manifest_request(&self, method: &str, tag: &str) -> Vec<u8> {
        let target = format!("/v2/{}/manifests/{tag}", self.repository);
        Request {
            media_type: Some(Salted::MEDIA_TYPE),
            ..self.request(method, &target)
        }
        .head(self.address, 0)
    }

    pub(crate) fn open(&self, count: usize) -> anyhow::Result<Vec<Connection>> {
        (0..count.max(1))
            .map(|_| Connection::open(self.address))
            .collect()
    }
}

/// Does something with each blob; every connection takes the next that is left.
fn divide(
    connections: &mut [Connection],
    order: &[&Blob<'_>],
    act: &(dyn Fn(&mut Connection, &Blob<'_>) -> anyhow::Result<()> + Sync),
) -> anyhow::Result<()> {
    let next = AtomicUsize::new(0);
    let trouble = Mutex::new(None);
    std::thread::scope(|scope| {
        for connection in connections {
            scope.spawn(|| {
                while let Some(blob) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = act(connection, blob) {
                        if let Ok(mut trouble) = trouble.lock() {
                            *trouble = Some(error);
                        }
                        // After trouble a connection may be anywhere.
                        return;
                    }
                }
            });
        }
    });
    match trouble.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(()),
    }
}

fn expect(answer: Answer, status: u16, what: &str) -> anyhow::Result<Answer> {
    anyhow::ensure!(
        answer.status == status,
        "{what} answers {}, not {status}",
        answer.status
    );
    Ok(answer)
}

/// Path and query of where an upload goes on.
fn location(answer: &Answer) -> anyhow::Result<String> {
    let place = answer
        .header("location")
        .context("an upload has no place")?;
    let path = match place.split_once("://") {
        None => place,
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
    };
    Ok(path.to_owned())
}
