//! Tokens that run out, are refused, are renewed by many at once, and the end of a process in the middle of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use serde_json::json;

use super::bed::{codex, file, nowhere, store, stored, turn, world};
use crate::support::World;

/// Asks the sign-in service again and again until it was asked to renew a token.
#[track_caller]
fn until_asked(world: &World) {
    let begin = Instant::now();
    while world.backend.state()["routes"]["/oauth/token"].as_u64().is_none_or(|asked| asked < 1) {
        assert!(begin.elapsed() < Duration::from_secs(60), "nobody asked: {}", world.backend.state());
    }
}

#[test]
fn a_token_that_ran_out_is_renewed_before_the_request() {
    let world = world("");
    let old = store(&world, -60);
    let output = turn(&world).run().expect(0);
    assert_eq!((world.backend.signed("renewals_proactive"), world.backend.signed("refused")), (1, 0));
    let new = stored(&world);
    assert_eq!(new["kept"], json!({"by": "others"}));
    nowhere(&world, &[&output], &[&old, &new["tokens"]]);
    turn(&world).run().expect(0);
    assert_eq!(world.backend.signed("renewals"), 1);
}

#[test]
fn a_refused_token_costs_two_requests_and_one_renewal() {
    let world = world("");
    store(&world, 3600);
    world.backend.oauth(r#"{"expire":true}"#);
    turn(&world).run().expect(0);
    let seen: Vec<u64> =
        world.backend.records().iter().filter_map(|record| record["status"].as_u64()).collect();
    assert_eq!(seen, [401, 401, 200]);
    assert_eq!((world.backend.signed("renewals_unauthorized"), world.backend.signed("reused")), (1, 0));
}

#[test]
fn a_service_that_refuses_for_ever_gets_one_renewal_per_turn() {
    let world = world("");
    let old = store(&world, 3600);
    world.backend.oauth(r#"{"settings":{"refuse_all":true}}"#);
    for turns in 1..=2 {
        let output = turn(&world).run().expect(1);
        assert!(output.stdout.contains("codex login"), "{}", output.stdout);
        assert_eq!(world.backend.records().len(), 3 * turns);
        assert_eq!(world.backend.signed("renewals"), turns as u64);
        nowhere(&world, &[&output], &[&old, &stored(&world)["tokens"]]);
    }
}

#[test]
fn a_service_that_fails_for_now_is_asked_again() {
    let world = world("");
    store(&world, -60);
    world
        .backend
        .faults("[[fault]]\nkind = 'status'\ncode = 500\nbody = 'html'\nroute = '/oauth/token'\ntimes = 2\n");
    let output = turn(&world).run().expect(0);
    assert_eq!(world.backend.signed("renewed"), 1);
    assert!(output.stdout.contains("could not be renewed"), "{}", output.stdout);
}

#[test]
fn an_ended_sign_in_is_told_with_its_cause_and_asked_for_once() {
    let world = world("");
    let tokens = store(&world, -60);
    let before = fs::read(file(&world)).unwrap();
    world.backend.oauth(r#"{"end":true}"#);
    for _ in 0..3 {
        let output = turn(&world).run().expect(1);
        assert!(
            output.stdout.contains("was ended") && output.stdout.contains("codex login"),
            "{}",
            output.stdout
        );
        nowhere(&world, &[&output], &[&tokens]);
    }
    assert_eq!(world.backend.signed("renewals"), 1, "no process sends it again");
    assert_eq!(fs::read(file(&world)).unwrap(), before);
    assert!(world.backend.records().is_empty());
    codex(&world).args(["login", "--device-auth"]).run().expect(0);
    turn(&world).run().expect(0);
}

#[test]
fn twenty_processes_renew_once() {
    for lifetime in [-60, 3600] {
        let world = world("");
        store(&world, lifetime);
        world.backend.oauth(r#"{"expire":true,"settings":{"renewal_ms":300}}"#);
        let running: Vec<_> = (0..20).map(|_| turn(&world).start()).collect();
        for one in running {
            one.wait().expect(0);
        }
        assert_eq!((world.backend.signed("renewals"), world.backend.signed("reused")), (1, 0), "{lifetime}");
        assert_eq!(world.backend.state()["oauth"]["most_uses_of_a_refresh_token"], 1);
    }
}

#[test]
fn an_interrupted_turn_keeps_the_answer() {
    let world = world("");
    store(&world, -60);
    world.backend.oauth(r#"{"settings":{"renewal_ms":400}}"#);
    let running = turn(&world).start();
    until_asked(&world);
    running.signal(2);
    running.wait().expect(130);
    world.backend.oauth(r#"{"settings":{}}"#);
    turn(&world).run().expect(0);
    assert_eq!((world.backend.signed("renewals"), world.backend.signed("reused")), (1, 0));
}

#[test]
fn a_process_killed_in_the_middle_holds_nothing_up_and_its_token_is_not_sent_again() {
    // Whether the service renewed or never looked: nobody can know, and a second use would end the sign-in.
    for applied in [false, true] {
        let world = world("");
        store(&world, -60);
        let before = fs::read(file(&world)).unwrap();
        match applied {
            true => world.backend.oauth(r#"{"settings":{"renewal_ms":20000}}"#),
            false => {
                world.backend.faults("[[fault]]\nkind = 'stall'\nat = 'headers'\nroute = '/oauth/token'\n")
            }
        }
        let first = turn(&world).start();
        until_asked(&world);
        let waiting: Vec<_> = (0..20).map(|_| turn(&world).start()).collect();
        first.kill();
        assert_eq!(fs::read(file(&world)).unwrap(), before, "the old file is whole");
        for one in waiting {
            let output = one.wait().expect(1);
            assert!(
                output.stdout.contains("got no answer") && output.stdout.contains("codex login"),
                "{}",
                output.stdout
            );
        }
        assert_eq!(world.backend.state()["routes"]["/oauth/token"], 1);
        let left: Vec<_> = fs::read_dir(world.codex_home())
            .unwrap()
            .filter_map(|entry| entry.unwrap().file_name().into_string().ok())
            .filter(|name| name.starts_with(".codex-"))
            .collect();
        assert_eq!(left, [""; 0]);
        world.backend.oauth(r#"{"settings":{}}"#);
        codex(&world).args(["login", "--device-auth"]).run().expect(0);
        turn(&world).run().expect(0);
    }
}

#[test]
fn a_store_that_cannot_be_written_spends_nothing() {
    let world = world("");
    store(&world, -60);
    let before = fs::read(file(&world)).unwrap();
    fs::set_permissions(file(&world), fs::Permissions::from_mode(0o400)).unwrap();
    let output = turn(&world).run().expect(1);
    assert!(output.stdout.contains("auth.json") && output.stdout.contains("read-only"), "{}", output.stdout);
    assert_eq!(world.backend.signed("renewals"), 0);
    assert_eq!(fs::read(file(&world)).unwrap(), before);
    // A token that is still good does its work.
    fs::remove_file(file(&world)).unwrap();
    store(&world, 200);
    fs::set_permissions(file(&world), fs::Permissions::from_mode(0o400)).unwrap();
    turn(&world).run().expect(0);
    assert_eq!(world.backend.signed("renewals"), 0);
}

#[test]
fn a_damaged_store_is_told_and_left_alone() {
    let world = world("");
    let tokens = store(&world, 3600);
    let whole = fs::read(file(&world)).unwrap();
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        fs::write(file(&world), &whole[..cut]).unwrap();
        // Not even with a key at hand: that would be another account's bill.
        let output = turn(&world).env("OPENAI_API_KEY", "sk-1").run().expect(1);
        assert!(
            output.stderr.contains("auth.json") && output.stderr.contains("codex login"),
            "{}",
            output.stderr
        );
        assert_eq!(fs::read(file(&world)).unwrap(), &whole[..cut]);
        nowhere(&world, &[&output], &[&tokens]);
    }
    assert!(world.backend.records().is_empty());
    codex(&world).args(["login", "--device-auth"]).run().expect(0);
    let aside = fs::read_dir(world.codex_home())
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().into_string().ok());
    assert!(aside.into_iter().any(|name| name.contains("damaged")), "what was left is set aside");
}
