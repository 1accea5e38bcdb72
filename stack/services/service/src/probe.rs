//! `--probe`: asks the running service whether it is ready. Images have no curl.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::time::Duration;

/// Exit code 0 when `/readyz` of the service on this port answers 200.
pub(crate) fn run(port: u16) -> ExitCode {
    match status(port) {
        Ok(200) => ExitCode::SUCCESS,
        Ok(code) => {
            println!("/readyz answers {code}");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("no answer on port {port}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn status(port: u16) -> std::io::Result<u16> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let limit = Duration::from_secs(3);
    let mut stream = TcpStream::connect_timeout(&address, limit)?;
    stream.set_read_timeout(Some(limit))?;
    stream.write_all(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut head = [0; 64];
    let n = stream.read(&mut head)?;
    let text = String::from_utf8_lossy(&head[..n]);
    let code = text.split_whitespace().nth(1).and_then(|c| c.parse().ok());
    code.ok_or_else(|| std::io::Error::other("not an HTTP answer"))
}
