//! The journal on disk, whole and damaged.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::limits::intent::Verdict;
use crate::limits::marks::Mark;

fn intent(key: &str) -> Intent {
    let mark = Mark {
        limit: "codex".to_owned(),
        window: "primary".to_owned(),
        minutes: None,
        used_percent: 41.5,
        resets_at: Some(9),
    };
    Intent {
        key: key.to_owned(),
        account: "acct".to_owned(),
        credit_id: Some("c-1".to_owned()),
        made_at: 7,
        before: vec![mark],
        count_before: None,
        runs: 0,
        sent_at: 0,
    }
}

fn book() -> Book {
    let receipt = Receipt {
        intent: intent("old"),
        verdict: Verdict::AlreadyRedeemed,
        answered_at: 8,
        seen_at: Some(9),
        after: Vec::new(),
    };
    Book { intent: Some(intent("open")), receipts: vec![receipt], damaged: None }
}

fn place() -> (tempfile::TempDir, Place) {
    let home = tempfile::tempdir().unwrap();
    let place = Place::new(home.path(), "acct");
    (home, place)
}

#[test]
fn an_old_copy_that_is_put_back_sends_nothing_again() {
    let (_home, place) = place();
    let journal = place.take(Duration::ZERO).unwrap().unwrap();
    let open = book();
    journal.store(&open).unwrap();
    let copy = std::fs::read(place.path()).unwrap();
    let mut over = open.clone();
    let intent = over.intent.take().unwrap();
    over.receipts.push(Receipt { intent, ..open.receipts[0].clone() });
    journal.store(&over).unwrap();
    // The journal alone is put back, and later the folder's other file is lost too.
    std::fs::write(place.path(), &copy).unwrap();
    let (seen, whole) = place.peek().unwrap();
    assert!(seen.intent.is_none() && !whole, "its key came to its end");
    let read = journal.load().unwrap();
    assert!(read.intent.is_none() && read.receipts == open.receipts);
    let aside = read.damaged.unwrap();
    assert_eq!(std::fs::read(&aside).unwrap(), copy);
    assert_eq!(journal.load().unwrap().damaged, Some(aside), "set aside once");
    // Torn between the two files: the receipts bring it up.
    let finished = place.path().with_extension(FINISHED);
    std::fs::remove_file(&finished).unwrap();
    journal.store(&over).unwrap();
    std::fs::remove_file(&finished).unwrap();
    assert_eq!(journal.load().unwrap(), over);
    assert_eq!(std::fs::read_to_string(&finished).unwrap().lines().count(), 2);
    // Bytes that are no text cost what they stand in, not the rest.
    let torn = [b"\xff\xfe\0\n".as_slice(), &std::fs::read(&finished).unwrap(), b"0123\xff"].concat();
    std::fs::write(&finished, torn).unwrap();
    std::fs::write(place.path(), &copy).unwrap();
    assert!(place.peek().unwrap().0.intent.is_none());
}

#[test]
fn what_is_written_is_read_again_and_is_private() {
    let (_home, place) = place();
    assert_eq!(place.peek().unwrap(), (Book::default(), true));
    let journal = place.take(Duration::ZERO).unwrap().unwrap();
    assert!(place.take(Duration::ZERO).unwrap().is_none(), "one at a time");
    assert_eq!(journal.load().unwrap(), Book::default());
    journal.store(&book()).unwrap();
    assert_eq!((journal.load().unwrap(), place.peek().unwrap()), (book(), (book(), true)));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&place.path()), mode(place.path().parent().unwrap())), (0o600, 0o700));
    drop(journal);
    assert!(place.take(Duration::ZERO).unwrap().is_some());
}

/// Cut anywhere, or one byte changed anywhere: it is never taken for whole, and no key is ever another one.
#[test]
fn every_cut_and_every_changed_byte_is_noticed() {
    let (_home, place) = place();
    let journal = place.take(Duration::ZERO).unwrap().unwrap();
    journal.store(&book()).unwrap();
    let good = std::fs::read(place.path()).unwrap();
    let check = |bytes: &[u8], what: &str| {
        let (found, whole) = match place.understand(bytes) {
            Ok(understood) => understood,
            Err(Error::Newer { .. }) => return,
            Err(error) => panic!("{what}: {error}"),
        };
        assert!(!whole, "{what}");
        assert!(found.intent.is_none_or(|intent| intent == book().intent.unwrap()), "{what}");
        assert!(found.receipts.iter().all(|receipt| *receipt == book().receipts[0]), "{what}");
    };
    for end in 0..good.len() {
        check(&good[..end], &format!("cut at {end}"));
    }
    for at in 0..good.len() {
        for flip in [1_u8, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            check(&bad, &format!("byte {at} ^ {flip}"));
        }
    }
}

#[test]
fn a_damaged_file_is_set_aside_and_what_is_whole_in_it_is_kept() {
    let (_home, place) = place();
    let journal = place.take(Duration::ZERO).unwrap().unwrap();
    journal.store(&book()).unwrap();
    let good = std::fs::read(place.path()).unwrap();
    let torn = &good[..good.len() - 3];
    for n in 1..=2 {
        std::fs::write(place.path(), torn).unwrap();
        assert!(!place.peek().unwrap().1);
        let found = journal.load().unwrap();
        assert_eq!((&found.intent, &found.receipts), (&book().intent, &book().receipts));
        let aside = found.damaged.clone().unwrap();
        assert!(aside.to_string_lossy().ends_with(&format!(".damaged-{n}")), "{aside:?}");
        assert_eq!(std::fs::read(aside).unwrap(), torn);
        // It stays known until somebody heard of it.
        assert_eq!((journal.load().unwrap(), place.peek().unwrap()), (found.clone(), (found, true)));
    }
    for garbage in [&b""[..], b"\n", b"{}", b"\xff\xfe\x00", &[b'x'; 2 << 20]] {
        std::fs::write(place.path(), garbage).unwrap();
        let found = journal.load().unwrap();
        assert!(found.damaged.is_some() && found.intent.is_none());
    }
    std::fs::remove_file(place.path()).unwrap();
    std::fs::create_dir(place.path()).unwrap();
    assert!(journal.load().unwrap().damaged.is_some());
    assert!(place.path().is_file());
}

#[test]
fn a_newer_journal_is_left_alone() {
    let (_home, place) = place();
    let journal = place.take(Duration::ZERO).unwrap().unwrap();
    std::fs::write(place.path(), "codex redeem journal 2\nsomething\n").unwrap();
    assert!(matches!(journal.load(), Err(Error::Newer { .. })));
    assert!(matches!(place.peek(), Err(Error::Newer { .. })));
    assert!(place.path().exists());
}

#[test]
fn accounts_have_journals_of_their_own() {
    let home = Path::new("/h");
    assert_ne!(Place::new(home, "a").path(), Place::new(home, "b").path());
    assert!(!Place::new(home, "../../etc").path().to_string_lossy().contains(".."));
}
