//! An outbox between senders and one reader, over a pipe that takes no more than it is read.

use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, DuplexStream, duplex};

use super::lanes::Lanes;
use super::*;

fn outbox(limit: usize) -> Outbox {
    Outbox::new(limit, Lanes::new(1).next())
}

/// The same on a connection that holds `room` bytes until they are read.
fn connected(limit: usize, room: usize) -> (Outbox, DuplexStream) {
    let (near, far) = duplex(room);
    let outbox = outbox(limit);
    outbox.attach(Box::new(near));
    (outbox, far)
}

fn message() -> Wire {
    Wire::framed(vec![b'a'; 400].into())
}

#[tokio::test]
async fn what_is_sent_before_the_socket_is_there_is_written_in_order() {
    let outbox = outbox(1_000_000);
    let (near, mut far) = duplex(333);
    let mut near = Some(near);
    let mut sent = Vec::new();
    for number in 0..2000_u32 {
        let piece = vec![b'a' + u8::try_from(number % 26).expect("a letter"); 100];
        sent.extend_from_slice(&piece);
        outbox.send(Wire::framed(piece.into()));
        if number >= 1000 {
            tokio::task::yield_now().await;
            if let Some(near) = near.take() {
                outbox.attach(Box::new(near));
            }
        }
    }
    let mut read = vec![0; sent.len()];
    far.read_exact(&mut read).await.expect("bytes");
    assert_eq!(read, sent);
    outbox.written().await;
    assert_eq!(outbox.0.state().bytes, 0);
}

#[tokio::test]
async fn what_is_written_makes_room_and_what_overflows_cuts() {
    let (outbox, mut far) = connected(1000, 400);
    outbox.send(message());
    outbox.written().await;
    outbox.send(message());
    outbox.send(message());
    let mut read = vec![0; 1200];
    far.read_exact(&mut read).await.expect("bytes");
    outbox.written().await;
    for _ in 0..3 {
        outbox.send(message());
    }
    assert_eq!(outbox.0.state().ending, Ending::No);
    outbox.send(message());
    assert_eq!(outbox.attention().await.0, Ending::Cut);
}

#[tokio::test(start_paused = true)]
async fn whoever_has_much_to_send_waits_for_room() {
    let (outbox, mut far) = connected(1000, 1);
    outbox.room().await;
    outbox.send(message());
    let soon = Duration::from_millis(1);
    assert!(tokio::time::timeout(soon, outbox.room()).await.is_err());
    let mut read = vec![0; 400];
    far.read_exact(&mut read).await.expect("bytes");
    outbox.room().await;
    outbox.send(message());
    drop(far);
    outbox.room().await;
    assert_eq!(outbox.attention().await.0, Ending::Gone);
}

/// A connection that takes nothing, and counts how often it is tried.
struct Stalled {
    tries: Arc<AtomicUsize>,
    waker: Arc<Mutex<Option<Waker>>>,
}

impl AsyncWrite for Stalled {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        _: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.tries.fetch_add(1, Ordering::Relaxed);
        *self.waker.lock().expect("a waker") = Some(context.waker().clone());
        Poll::Pending
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_stalled_connection_is_not_tried_until_it_takes_more() {
    let (tries, waker) = (Arc::<AtomicUsize>::default(), Arc::default());
    let outbox = outbox(1_000_000);
    outbox.attach(Box::new(Stalled {
        tries: Arc::clone(&tries),
        waker: Arc::clone(&waker),
    }));
    for expected in [1, 2] {
        for _ in 0..100 {
            outbox.send(message());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(tries.load(Ordering::Relaxed), expected);
        let waker = waker.lock().expect("a waker").take();
        waker.expect("it was tried").wake();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(tries.load(Ordering::Relaxed), 3);
}

#[test]
fn one_message_longer_than_the_room_is_taken() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime");
    let _inside = runtime.enter();
    let outbox = outbox(10);
    outbox.send(message());
    assert_eq!(outbox.0.state().ending, Ending::No);
}
