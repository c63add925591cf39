//! Image bytes → a `data:` URL that a model can be sent: checked by decoding, at most 2048 pixels wide and high,
//! bounded in every direction, so that a hostile file costs a refusal and not the memory of the machine. Blocks:
//! to be called on a blocking task.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

use crate::base::fs::read_bounded;

/// Box the image has to fit, in pixels.
const BOX: u32 = 2048;
/// Longest file read, in bytes.
const FILE_MAX: u64 = 32 << 20;
/// Largest width and height decoded, and memory for it.
const SIDE_MAX: u32 = 16_384;
const DECODE_MAX: u64 = 512 << 20;

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The file cannot be read; the path is wrong.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// It is not a regular file: a folder, a pipe, a device.
    #[error("not a file")]
    NotAFile,
    /// It is larger than any picture should be.
    #[error("larger than {} MiB", FILE_MAX >> 20)]
    TooLarge,
    /// It is not an image, is damaged, or of a kind that is not understood.
    #[error("invalid or unsupported image data")]
    Invalid,
}

/// Reads an image file as a `data:` URL.
///
/// # Errors
/// See [`Error`].
pub(crate) fn load(path: &Path, secret: &dyn Fn(&Path) -> Option<String>) -> Result<String, Error> {
    let bytes = read(path, secret).map_err(|error| match error.kind() {
        ErrorKind::FileTooLarge => Error::TooLarge,
        ErrorKind::IsADirectory | ErrorKind::InvalidInput => Error::NotAFile,
        _ => Error::File(error),
    })?;
    data_url(bytes)
}

/// `secret` says why the real path of what was opened is not to be read; asked about the open file, because a link
/// on the way may have been changed meanwhile.
fn read(path: &Path, secret: &dyn Fn(&Path) -> Option<String>) -> io::Result<Vec<u8>> {
    let flags = libc::O_PATH | libc::O_CLOEXEC;
    let place = File::options().read(true).custom_flags(flags).open(path)?;
    let place_name = PathBuf::from(format!("/proc/self/fd/{}", place.as_raw_fd()));
    match secret(&std::fs::read_link(&place_name)?) {
        Some(why) => Err(io::Error::new(ErrorKind::PermissionDenied, why)),
        None => read_bounded(&place_name, FILE_MAX),
    }
}

fn data_url(bytes: Vec<u8>) -> Result<String, Error> {
    let format = image::guess_format(&bytes).map_err(|_| Error::Invalid)?;
    let mime = match format {
        ImageFormat::Png => "image/png",
        ImageFormat::Jpeg => "image/jpeg",
        ImageFormat::Gif => "image/gif",
        ImageFormat::WebP => "image/webp",
        _ => return Err(Error::Invalid),
    };
    let picture = decode(&bytes, format)?;
    if picture.width() <= BOX && picture.height() <= BOX {
        return Ok(url(mime, &bytes));
    }
    drop(bytes);
    let small = picture.thumbnail(BOX, BOX);
    drop(picture);
    let (small, format, mime) = match format {
        ImageFormat::Jpeg => (small, ImageFormat::Jpeg, "image/jpeg"),
        _ => (small, ImageFormat::Png, "image/png"),
    };
    let mut encoded = Cursor::new(Vec::new());
    small.write_to(&mut encoded, format).map_err(|_| Error::Invalid)?;
    Ok(url(mime, encoded.get_ref()))
}

fn decode(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, Error> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DECODE_MAX);
    reader.limits(limits);
    reader.decode().map_err(|_| Error::Invalid)
}

fn url(mime: &str, bytes: &[u8]) -> String {
    let mut url = format!("data:{mime};base64,");
    STANDARD.encode_string(bytes, &mut url);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut out, format).unwrap();
        out.into_inner()
    }

    fn bytes_of(url: &str) -> (String, Vec<u8>) {
        let (head, data) = url.split_once(";base64,").unwrap();
        (head.to_owned(), STANDARD.decode(data).unwrap())
    }

    #[test]
    fn small_images_travel_as_they_are_and_large_ones_shrink() {
        for (format, mime) in [
            (ImageFormat::Png, "data:image/png"),
            (ImageFormat::Jpeg, "data:image/jpeg"),
            (ImageFormat::Gif, "data:image/gif"),
            (ImageFormat::WebP, "data:image/webp"),
        ] {
            let bytes = encoded(20, 10, format);
            assert_eq!(bytes_of(&data_url(bytes.clone()).unwrap()), (mime.to_owned(), bytes));
        }
        let (mime, bytes) = bytes_of(&data_url(encoded(4096, 100, ImageFormat::Png)).unwrap());
        let small = image::load_from_memory(&bytes).unwrap();
        assert_eq!((mime.as_str(), small.width(), small.height()), ("data:image/png", 2048, 50));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        let whole = encoded(50, 50, ImageFormat::Png);
        let half = whole.split_at(whole.len() / 2).0.to_vec();
        for bad in [Vec::new(), b"hello".to_vec(), half, b"\x89PNG\r\n\x1a\n".to_vec()] {
            assert!(matches!(data_url(bad), Err(Error::Invalid)));
        }
        assert!(matches!(load(Path::new("/"), &|_| None), Err(Error::NotAFile)));
        assert!(matches!(load(Path::new("/no/such"), &|_| None), Err(Error::File(_))));
    }
}
