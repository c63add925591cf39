//! Tests of the client against TLS on loopback: an unknown authority is refused, one that the user names is taken.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;
use crate::base::tasks;

/// Answers `connections` TLS connections with "hello" and ends.
async fn server(connections: usize) -> (String, tasks::Task<()>) {
    install_tls_provider();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
    let certificate = CertificateDer::from_pem_file(folder.join("server.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let task = tasks::spawn("tls server", async move {
        for _ in 0..connections {
            let mut session = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut socket = listener.accept().await.unwrap().0.into_std().unwrap();
            socket.set_nonblocking(false).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let serve = move || {
                let mut stream = rustls::Stream::new(&mut session, &mut socket);
                if stream.read(&mut [0; 4096]).is_ok() {
                    let _ = stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
                    let _ = stream.flush();
                }
            };
            tasks::blocking("tls connection", serve).await.unwrap();
        }
    });
    (url, task)
}

#[tokio::test]
async fn an_authority_that_the_user_names_is_trusted() {
    let (url, task) = server(2).await;
    let mut settings = HttpSettings { user_agent: "t".to_owned(), ca_file: None };
    let refused = client(&url, &settings).unwrap().get(&url).send().await.unwrap_err();
    let problem = certificate_problem(&refused).unwrap_or_else(|| panic!("{refused:?}"));
    assert!(problem.contains("UnknownIssuer"), "{problem}");

    settings.ca_file = Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls/ca.pem"));
    let answer = client(&url, &settings).unwrap().get(&url).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "hello");
    task.join().await.unwrap();
}

#[tokio::test]
async fn a_refused_connection_is_no_certificate_problem() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = HttpSettings { user_agent: "t".to_owned(), ca_file: None };
    let url = format!("http://127.0.0.1:{port}/");
    let error = client(&url, &settings).unwrap().get(&url).send().await.unwrap_err();
    assert_eq!(certificate_problem(&error), None);
    assert!(with_causes(&error).contains("refused"), "{}", with_causes(&error));
}
