//! What every blob store does, and what it does when its bucket does not.

use std::io::Read;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use seaworthy_bucket::Fault;
use seaworthy_store::{AppendError, FinishError, Known, Millis, Tap};
use seaworthy_testkit::wait_until;

use crate::depot::{
    Depot, broken_off, in_files, in_s3, incoming, noise, on_each_depot, read, sha256, sha512,
};

on_each_depot! {
    what_was_pushed_is_read_back,
    any_range_is_read,
    an_empty_blob_is_a_blob,
    chunks_become_one_blob_though_the_program_restarts_between_them,
    a_client_that_breaks_off_goes_on_where_it_was,
    a_wrong_digest_is_told_and_nothing_of_it_need_stay,
    what_could_not_be_written_down_is_retracted_and_nothing_else,
    sha512_is_proved_too,
    more_than_the_limit_is_not_kept,
    an_abandoned_upload_leaves_nothing,
    removing_twice_is_removing,
    the_same_content_twice_is_in_two_places,
    two_who_go_on_with_one_upload_do_not_spoil_each_other,
    an_upload_that_is_dropped_halfway_leaves_nothing,
    a_tap_hears_every_byte_in_order,
    a_blob_is_read_on_a_thread,
    what_nothing_needs_is_swept,
    young_strays_are_left_alone,
    what_others_put_there_is_left_alone,
    a_place_that_is_none_is_refused,
    the_store_answers,
    finishing_again_is_answered_again,
}

/// Later than anything that happens in these tests.
const LATER: Millis = Millis(i64::MAX);

async fn what_was_pushed_is_read_back(depot: Depot) {
    // From within one read to several pieces of several objects.
    for size in [1, 100, 512 << 10, (512 << 10) + 1, 20 << 20] {
        let bytes = noise(size as u64, size);
        let place = depot.push(&bytes).await;
        let found = read(&depot.blobs, &place, 0..size as u64).await;
        assert!(found.expect("it is there") == bytes, "{size} bytes differ");
    }
}

async fn any_range_is_read(depot: Depot) {
    let bytes = noise(1, 17 << 20);
    let middle = 9 << 20;
    let partial = depot.append(depot.begin().await, &bytes[..middle]).await;
    let partial = depot.append(partial, &bytes[middle..]).await;
    let place = depot.blobs.finish(partial, &sha256(&bytes)).await;
    let place = place.expect("the digest is right");
    let all = bytes.len();
    let piece = 8 << 20;
    for range in [
        0..1,
        0..0,
        all - 1..all,
        piece - 1..piece + 1,
        middle - 5..middle + 5,
        100..all - 100,
        middle..all,
    ] {
        let found = read(&depot.blobs, &place, range.start as u64..range.end as u64).await;
        let same = found.expect("it is there") == bytes[range.clone()];
        assert!(same, "{range:?} differs");
    }
    let beyond = depot.blobs.read(&place, 0..all as u64 + 1).await;
    assert!(beyond.is_err(), "there are no such bytes");
}

async fn an_empty_blob_is_a_blob(depot: Depot) {
    let place = depot.push(b"").await;
    let found = read(&depot.blobs, &place, 0..0).await;
    assert_eq!(found.expect("it is there"), b"");
    depot.blobs.remove(&place).await.expect("it can be removed");
}

async fn chunks_become_one_blob_though_the_program_restarts_between_them(depot: Depot) {
    let bytes = noise(2, 1 << 20);
    let mut partial = depot.begin().await;
    for chunk in bytes.chunks(150_000) {
        let again = depot.reopened().await;
        let appended = again.append(partial, incoming(chunk), u64::MAX, None).await;
        appended.ended.expect("the chunk is taken");
        partial = appended.partial;
    }
    assert_eq!(partial.received, bytes.len() as u64);
    let again = depot.reopened().await;
    let place = again.finish(partial, &sha256(&bytes)).await;
    let place = place.expect("the digest is right");
    let found = read(&depot.blobs, &place, 0..bytes.len() as u64).await;
    assert!(found.expect("it is there") == bytes);
}

async fn a_client_that_breaks_off_goes_on_where_it_was(depot: Depot) {
    let bytes = noise(3, 10 << 20);
    let cut = (9 << 20) + 77;
    let begun = depot.begin().await;
    let appended = depot.append_from(begun, broken_off(&bytes[..cut])).await;
    assert!(matches!(appended.ended, Err(AppendError::Client(_))));
    assert_eq!(appended.partial.received, cut as u64);
    let partial = depot.append(appended.partial, &bytes[cut..]).await;
    let place = depot.blobs.finish(partial, &sha256(&bytes)).await;
    let place = place.expect("the digest is right");
    let found = read(&depot.blobs, &place, 0..bytes.len() as u64).await;
    assert!(found.expect("it is there") == bytes);
}

async fn a_wrong_digest_is_told_and_nothing_of_it_need_stay(depot: Depot) {
    let bytes = noise(4, 100_000);
    for wrong in [sha256(b"other"), sha512(b"other")] {
        let partial = depot.append(depot.begin().await, &bytes).await;
        match depot.blobs.finish(partial.clone(), &wrong).await {
            Err(FinishError::WrongDigest { stated, found }) => {
                assert_eq!(stated, wrong);
                assert!(found == sha256(&bytes) || found == sha512(&bytes));
            }
            other => panic!("the digest is wrong, and the answer {other:?}"),
        }
        // Another node may be right at the same moment.
        let right = depot.blobs.finish(partial.clone(), &sha256(&bytes)).await;
        let place = right.expect("the digest is right");
        let found = read(&depot.blobs, &place, 0..bytes.len() as u64).await;
        assert!(found.expect("it is there") == bytes);
        depot.blobs.remove(&place).await.expect("it is removed");
        let abandoned = depot.blobs.abandon(partial).await;
        abandoned.expect("what is gone is gone");
        assert_eq!(depot.stored_bytes(), 0);
    }
}

async fn what_could_not_be_written_down_is_retracted_and_nothing_else(depot: Depot) {
    let before = depot.append(depot.begin().await, b"begin ").await;
    let mine = depot.append(before.clone(), b"mine").await;
    let theirs = depot.append(before.clone(), b"theirs").await;
    let whole = b"begin theirs";
    let place = depot.blobs.finish(theirs, &sha256(whole)).await;
    let place = place.expect("the digest is right");
    let retracted = depot.blobs.retract(&before, &mine).await;
    retracted.expect("it is removed");
    let found = read(&depot.blobs, &place, 0..whole.len() as u64).await;
    assert_eq!(found.expect("it is there"), whole);
    assert_eq!(depot.stored_bytes(), whole.len() as u64);
}

async fn sha512_is_proved_too(depot: Depot) {
    let bytes = noise(5, 9 << 20);
    let partial = depot.append(depot.begin().await, &bytes).await;
    let place = depot.blobs.finish(partial, &sha512(&bytes)).await;
    let place = place.expect("the digest is right");
    let found = read(&depot.blobs, &place, 0..bytes.len() as u64).await;
    assert!(found.expect("it is there") == bytes);
}

async fn more_than_the_limit_is_not_kept(depot: Depot) {
    let begun = depot.begin().await;
    let first = incoming(&noise(6, 600));
    let first = depot.blobs.append(begun, first, 1000, None).await;
    first.ended.expect("it is below the limit");
    let second = incoming(&noise(7, 600));
    let second = depot.blobs.append(first.partial, second, 1000, None).await;
    assert!(matches!(
        second.ended,
        Err(AppendError::TooLarge { limit: 1000 })
    ));
    assert!(second.partial.received <= 1000);
    assert!(depot.stored_bytes() <= 1000);
    // Exactly the limit is allowed.
    let begun = depot.begin().await;
    let full = incoming(&noise(8, 1000));
    let full = depot.blobs.append(begun, full, 1000, None).await;
    full.ended.expect("it is the limit");
}

async fn an_abandoned_upload_leaves_nothing(depot: Depot) {
    let partial = depot.append(depot.begin().await, &noise(9, 9 << 20)).await;
    let partial = depot.append(partial, &noise(10, 10)).await;
    assert!(depot.stored_bytes() > 0);
    let twice = partial.clone();
    depot.blobs.abandon(partial).await.expect("it is forgotten");
    assert_eq!(depot.stored_bytes(), 0);
    let again = depot.blobs.abandon(twice).await;
    again.expect("what is forgotten is forgotten");
}

async fn removing_twice_is_removing(depot: Depot) {
    let place = depot.push(&noise(11, 9 << 20)).await;
    depot.blobs.remove(&place).await.expect("it is removed");
    depot.blobs.remove(&place).await.expect("it is removed");
    assert_eq!(depot.stored_bytes(), 0);
    let read = depot.blobs.read(&place, 0..10).await;
    assert!(!read.err().expect("it is gone").is_temporary());
}

async fn the_same_content_twice_is_in_two_places(depot: Depot) {
    let (one, other) = (depot.push(b"same").await, depot.push(b"same").await);
    assert_ne!(one, other);
    depot.blobs.remove(&one).await.expect("it is removed");
    let found = read(&depot.blobs, &other, 0..4).await;
    assert_eq!(found.expect("it is there"), b"same");
}

async fn two_who_go_on_with_one_upload_do_not_spoil_each_other(depot: Depot) {
    let partial = depot.append(depot.begin().await, b"begin ").await;
    let (mine, theirs) = tokio::join!(
        depot.append(partial.clone(), b"mine"),
        depot.append(partial, b"theirs")
    );
    // The catalog decides whose it is; both are whole until then.
    let whole = b"begin theirs";
    let place = depot.blobs.finish(theirs, &sha256(whole)).await;
    let place = place.expect("the digest is right");
    let found = read(&depot.blobs, &place, 0..whole.len() as u64).await;
    assert_eq!(found.expect("it is there"), whole);
    drop(mine);
}

async fn an_upload_that_is_dropped_halfway_leaves_nothing(depot: Depot) {
    let begun = depot.begin().await;
    let (bytes, endless) = (noise(12, 10 << 20), stream::pending());
    let never = incoming(&bytes).chain(endless).boxed();
    let append = depot.append_from(begun, never);
    tokio::pin!(append);
    // Until something of it is there.
    while depot.stored().is_empty() {
        let turn = tokio::task::yield_now();
        tokio::select! {
            _ = &mut append => panic!("it has no end"),
            () = turn => {}
        }
    }
    append.set(depot.append_from(depot.begin().await, incoming(b"")));
    wait_until("nothing is left", || depot.stored().is_empty());
}

#[derive(Default)]
struct Ear(Mutex<Vec<u8>>);

impl Tap for Ear {
    fn hear(&self, bytes: &Bytes) {
        let mut heard = self.0.lock().expect("nobody panics here");
        heard.extend_from_slice(bytes);
    }
}

async fn a_tap_hears_every_byte_in_order(depot: Depot) {
    let bytes = noise(13, 3 << 20);
    let ear = Ear::default();
    let begun = depot.begin().await;
    let appended = depot
        .blobs
        .append(begun, broken_off(&bytes), u64::MAX, Some(&ear))
        .await;
    assert_eq!(appended.partial.received, bytes.len() as u64);
    assert!(*ear.0.lock().expect("nobody panics here") == bytes);
}

async fn a_blob_is_read_on_a_thread(depot: Depot) {
    let bytes = noise(14, 9 << 20);
    let place = depot.push(&bytes).await;
    let (blobs, size) = (depot.blobs.clone(), bytes.len() as u64);
    let runtime = tokio::runtime::Handle::current();
    let gone = place.clone();
    let found = tokio::task::spawn_blocking(move || {
        let mut reader = blobs.open_blocking(&place, size, &runtime)?;
        let mut found = Vec::new();
        reader.read_to_end(&mut found).expect("it is there");
        Ok::<_, seaworthy_store::StoreError>(found)
    });
    let found = found.await.expect("nobody panics").expect("it opens");
    assert!(found == bytes);
    depot.blobs.remove(&gone).await.expect("it is removed");
    let (blobs, runtime) = (depot.blobs.clone(), tokio::runtime::Handle::current());
    let missing = tokio::task::spawn_blocking(move || {
        let opened = blobs.open_blocking(&gone, size, &runtime);
        opened.is_err() || opened.is_ok_and(|mut reader| reader.read(&mut [0; 9]).is_err())
    });
    assert!(missing.await.expect("nobody panics"));
}

async fn what_nothing_needs_is_swept(depot: Depot) {
    let kept = depot.push(&noise(15, 9 << 20)).await;
    let grave = depot.push(&noise(16, 10)).await;
    let stray = noise(17, 9 << 20);
    depot.push(&stray).await;
    let open = depot.append(depot.begin().await, &noise(18, 10)).await;
    // Somebody died before this was written down.
    let unnoted = depot.append(open.clone(), &noise(19, 20)).await;
    let died = depot.append(depot.begin().await, &noise(20, 30)).await;
    drop((unnoted, died));
    let known = || {
        let mut known = Known::default();
        known.place(&kept).expect("it is a place");
        known.place(&grave).expect("it is a place");
        known
    };
    let mut with_open = known();
    with_open.upload(&open).expect("it is an upload");
    let swept = depot
        .blobs
        .sweep(LATER, with_open)
        .await
        .expect("it sweeps");
    assert_eq!(swept.bytes, stray.len() as u64 + 30);
    // What somebody may still be writing stays until the upload ends.
    assert_eq!(depot.stored_bytes(), (9 << 20) + 10 + 10 + 20);
    let bytes = noise(18, 10);
    let ended = depot.blobs.finish(open, &sha256(&bytes)).await;
    let mut ended_too = known();
    ended_too
        .place(&ended.expect("the digest is right"))
        .expect("it is a place");
    let swept = depot
        .blobs
        .sweep(LATER, ended_too)
        .await
        .expect("it sweeps");
    assert_eq!((swept.count, swept.bytes), (1, 20));
    let found = read(&depot.blobs, &kept, 0..9 << 20).await;
    assert!(found.expect("it is there") == noise(15, 9 << 20));
}

async fn young_strays_are_left_alone(depot: Depot) {
    depot.push(b"young").await;
    let long_ago = Millis(1_000_000_000_000);
    let swept = depot.blobs.sweep(long_ago, Known::default()).await;
    assert_eq!(swept.expect("it sweeps").count, 0);
    assert_eq!(depot.stored_bytes(), 5);
}

async fn what_others_put_there_is_left_alone(depot: Depot) {
    for name in [
        "photos/2024/1",
        "photos/0-0123456789abcdef/portrait",
        "uploads/notes.txt",
        "sha256/ab/abcdef.txt",
        "lost+found",
    ] {
        depot.put_foreign(name).await;
    }
    let before = depot.stored();
    assert_eq!(before.len(), 5);
    let swept = depot.blobs.sweep(LATER, Known::default()).await;
    assert_eq!(swept.expect("it sweeps").count, 0);
    assert_eq!(depot.stored(), before);
}

async fn a_place_that_is_none_is_refused(depot: Depot) {
    for text in [
        "",
        "{}",
        r#"{"upload":"u","runs":[{"name":"../../etc/passwd","size":10}]}"#,
        r#"{"upload":"u","runs":[{"name":"/etc/passwd","size":10}]}"#,
    ] {
        let place = seaworthy_store::Place(text.to_owned());
        assert!(depot.blobs.read(&place, 0..1).await.is_err(), "{text}");
        assert!(depot.blobs.remove(&place).await.is_err(), "{text}");
    }
    for id in ["", "../x", "a/b", "a.b", &"x".repeat(200)] {
        assert!(depot.blobs.begin(id).await.is_err(), "{id}");
    }
}

async fn the_store_answers(depot: Depot) {
    depot.blobs.ping().await.expect("it is there");
}

async fn finishing_again_is_answered_again(depot: Depot) {
    let partial = depot.append(depot.begin().await, b"once").await;
    let first = depot.blobs.finish(partial.clone(), &sha256(b"once")).await;
    let second = depot.blobs.finish(partial, &sha256(b"once")).await;
    assert_eq!(first.expect("it is kept"), second.expect("it is kept"));
}

#[test]
fn bytes_that_were_lost_are_told_and_the_rest_goes_on() {
    in_files(async |depot| {
        let partial = depot.append(depot.begin().await, b"first ").await;
        let partial = depot.append(partial, b"second").await;
        let depot_files = depot.stored();
        let lost = depot_files.iter().find(|(_, size)| **size == 6);
        assert!(lost.is_some());
        depot.lose(|name| name.contains("/6-"));
        let appended = depot.append_from(partial, incoming(b"third")).await;
        assert!(matches!(appended.ended, Err(AppendError::Store(_))));
        assert_eq!(appended.partial.received, 6);
        let partial = depot.append(appended.partial, b"again").await;
        let whole = b"first again";
        let place = depot.blobs.finish(partial, &sha256(whole)).await;
        let place = place.expect("the digest is right");
        let found = read(&depot.blobs, &place, 0..whole.len() as u64).await;
        assert_eq!(found.expect("it is there"), whole);
    });
}

#[test]
fn an_upload_whose_bytes_were_lost_is_not_finished() {
    in_files(async |depot| {
        let partial = depot.append(depot.begin().await, b"bytes").await;
        depot.lose(|name| name.contains("uploads/"));
        let finished = depot.blobs.finish(partial, &sha256(b"bytes")).await;
        assert!(matches!(finished, Err(FinishError::Store(_))));
    });
}

#[test]
fn very_many_chunks_are_written_together() {
    in_files(async |depot| {
        let careless = seaworthy_store::Blobs::open_careless(depot.folder()).await;
        let blobs = careless.expect("the folder can be used");
        let bytes = noise(21, 1100 * 3);
        let mut partial = depot.begin().await;
        let mut longest = 0;
        for chunk in bytes.chunks(3) {
            let appended = blobs.append(partial, incoming(chunk), u64::MAX, None).await;
            appended.ended.expect("the chunk is taken");
            partial = appended.partial;
            longest = longest.max(partial.state.len());
        }
        assert!(longest < 100_000, "{longest} bytes for each chunk");
        let place = blobs.finish(partial, &sha256(&bytes)).await;
        let place = place.expect("the digest is right");
        let found = read(&blobs, &place, 0..bytes.len() as u64).await;
        assert!(found.expect("it is there") == bytes);
    });
}

/// Lets every third request fail.
fn every_third(fault: Fault) -> impl FnMut(&str, &str) -> Option<Fault> + Send {
    let count = AtomicU32::new(0);
    move |_, _| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        number.is_multiple_of(3).then_some(fault)
    }
}

#[test]
fn a_bucket_that_stumbles_is_asked_again() {
    in_s3(async |depot| {
        let bucket = depot.bucket.as_ref().expect("it is S3");
        let bytes = noise(22, 20 << 20);
        for fault in [
            Fault::SlowDown,
            Fault::Hangup,
            Fault::Silence,
            Fault::Cut(100_000),
        ] {
            bucket.fail(every_third(fault));
            let place = depot.push(&bytes).await;
            let found = read(&depot.blobs, &place, 0..bytes.len() as u64).await;
            assert!(found.expect("it is asked again") == bytes, "{fault:?}");
            depot.blobs.remove(&place).await.expect("it is removed");
        }
        bucket.recover();
        assert_eq!(depot.stored_bytes(), 0);
    });
}

#[test]
fn whatever_fails_in_a_bucket_no_byte_is_wrong_and_nothing_answered_for_is_lost() {
    in_s3(async |depot| {
        let bucket = depot.bucket.as_ref().expect("it is S3");
        let chance = AtomicU64::new(u64::from(std::process::id()) | 1);
        bucket.fail(move |method, _| {
            let drawn = next(&chance);
            let most = drawn >> 40;
            match drawn % 12 {
                0 => Some(Fault::SlowDown),
                1 => Some(Fault::Hangup),
                2 => Some(Fault::Silence),
                3 => Some(Fault::Cut(most)),
                4 if method == "GET" => Some(Fault::Shorten(most)),
                _ => None,
            }
        });
        let depot = &depot;
        let pushes = stream::iter(0..24_u64).map(|number| async move {
            let bytes = noise(
                number,
                usize::try_from(number * 900_000).expect("it is small"),
            );
            let appended = depot
                .append_from(depot.begin().await, incoming(&bytes))
                .await;
            appended.ended.ok()?;
            let address = match number % 2 {
                0 => sha256(&bytes),
                _ => sha512(&bytes),
            };
            let place = depot.blobs.finish(appended.partial, &address).await.ok()?;
            if let Ok(found) = read(&depot.blobs, &place, 0..bytes.len() as u64).await {
                assert!(found == bytes, "a wrong byte was read");
            }
            Some((place, bytes))
        });
        let pushed: Vec<_> = pushes.buffer_unordered(6).collect().await;
        bucket.recover();
        let kept: Vec<_> = pushed.into_iter().flatten().collect();
        assert!(
            kept.len() > 6,
            "only {} pushes were answered for",
            kept.len()
        );
        let mut known = Known::default();
        for (place, _) in &kept {
            known.place(place).expect("it is a place");
        }
        depot.blobs.sweep(LATER, known).await.expect("it sweeps");
        for (place, bytes) in &kept {
            let found = read(&depot.blobs, place, 0..bytes.len() as u64).await;
            assert!(found.expect("it was answered for") == *bytes);
        }
        let total: u64 = kept.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        wait_until("only what was answered for is left", || {
            depot.stored_bytes() == total
        });
    });
}

fn next(chance: &AtomicU64) -> u64 {
    let step = |it: u64| Some(it.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    let before = chance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step);
    before.unwrap_or_default().rotate_right(32)
}

#[test]
fn a_bucket_that_lies_about_lengths_is_not_believed() {
    in_s3(async |depot| {
        let bucket = depot.bucket.as_ref().expect("it is S3");
        let bytes = noise(23, 5 << 20);
        let place = depot.push(&bytes).await;
        bucket.fail(|method, _| (method == "GET").then_some(Fault::Shorten(1000)));
        let found = read(&depot.blobs, &place, 0..bytes.len() as u64).await;
        assert!(found.is_err(), "bytes were missing");
        let partial = depot.append(depot.begin().await, &bytes).await;
        let finished = depot.blobs.finish(partial, &sha512(&bytes)).await;
        assert!(matches!(finished, Err(FinishError::Store(_))));
    });
}

#[test]
fn a_bucket_that_is_away_is_told_in_time_and_then_forgotten() {
    in_s3(async |depot| {
        let bucket = depot.bucket.as_ref().expect("it is S3");
        let bytes = noise(24, 100_000);
        let partial = depot.append(depot.begin().await, &bytes).await;
        bucket.fail(|_, _| Some(Fault::SlowDown));
        let appended = depot.append_from(partial.clone(), incoming(b"more")).await;
        match appended.ended {
            Err(AppendError::Store(error)) => assert!(error.is_temporary()),
            other => panic!("the bucket is away, and the answer {other:?}"),
        }
        assert_eq!(appended.partial, partial);
        assert!(depot.blobs.ping().await.is_err());
        bucket.recover();
        let place = depot.blobs.finish(partial, &sha256(&bytes)).await;
        let place = place.expect("it is back");
        let found = read(&depot.blobs, &place, 0..bytes.len() as u64).await;
        assert!(found.expect("it is back") == bytes);
    });
}
