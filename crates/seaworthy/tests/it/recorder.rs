//! Stands before a server and keeps a copy of all that is sent to it.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes everything on, both ways.
pub(crate) struct Recorder {
    address: SocketAddr,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    /// Before the server at `address`.
    pub(crate) fn before(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let (kept, server) = (Arc::clone(&sent), address.to_owned());
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (kept, server) = (Arc::clone(&kept), server.clone());
                thread::spawn(move || pass(client, &server, &kept));
            }
        });
        Self { address: own, sent }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// All bytes of all clients so far.
    pub(crate) fn sent(&self) -> Vec<u8> {
        self.sent.lock().unwrap().clone()
    }
}

fn pass(client: TcpStream, server: &str, kept: &Arc<Mutex<Vec<u8>>>) {
    let Ok(server) = TcpStream::connect(server) else {
        return;
    };
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    let kept = Arc::clone(kept);
    thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            kept.lock().unwrap().extend_from_slice(&buffer[..count]);
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}
