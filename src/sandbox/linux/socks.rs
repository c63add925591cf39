//! The words of SOCKS, by which some proxies are asked for a tunnel.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::Duration;

use crate::base::secret::Secret;

/// An answer comes after the proxy has connected.
const ANSWER: Duration = Duration::from_secs(30);

/// Asks for a tunnel to `host`. RFC 1928 and, where a name and a password are wanted, RFC 1929.
pub(super) fn tunnel(
    stream: &mut TcpStream,
    login: Option<&(String, Secret)>,
    host: &str,
    port: u16,
) -> io::Result<()> {
    stream.set_read_timeout(Some(ANSWER))?;
    let refused = || io::Error::from(ErrorKind::PermissionDenied);
    let short = |text: &str| u8::try_from(text.len()).map_err(|_| refused());
    stream.write_all(if login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] })?;
    match (read::<2>(stream)?, login) {
        ([5, 0], _) => {}
        ([5, 2], Some((name, password))) => {
            let mut said = vec![1, short(name)?];
            said.extend(name.as_bytes());
            said.push(short(password.expose())?);
            said.extend(password.expose().as_bytes());
            stream.write_all(&said)?;
            if read::<2>(stream)?[1] != 0 {
                return Err(refused());
            }
        }
        _ => return Err(refused()),
    }
    let mut said = vec![5, 1, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => said.extend([&[1][..], &ip.octets()].concat()),
        Ok(IpAddr::V6(ip)) => said.extend([&[4][..], &ip.octets()].concat()),
        Err(_) => said.extend([&[3, short(host)?][..], host.as_bytes()].concat()),
    }
    said.extend(port.to_be_bytes());
    stream.write_all(&said)?;
    let [version, answer, _, kind] = read::<4>(stream)?;
    let rest = match kind {
        1 => 4,
        4 => 16,
        _ => usize::from(read::<1>(stream)?[0]),
    };
    stream.read_exact(&mut vec![0; rest + 2])?;
    if (version, answer) == (5, 0) { Ok(()) } else { Err(refused()) }
}

fn read<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
