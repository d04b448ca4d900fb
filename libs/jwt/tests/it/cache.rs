//! What the verifier remembers, and what it must not.

use std::sync::Arc;
use std::time::Duration;

use common::Clock;
use jwt::TokenError;

use crate::forge::{HEADER, claims, clock, config, forge};

#[test]
fn a_token_seen_before_is_not_read_again() {
    let verifier = config().verifier(clock());
    let token = forge(HEADER, &claims(&[]));
    let first = verifier.verify(&token).expect("genuine");
    let second = verifier.verify(&token).expect("genuine");
    assert!(Arc::ptr_eq(&first, &second));
}

#[test]
fn a_remembered_token_still_expires() {
    let clock = clock();
    let verifier = config().verifier(Arc::clone(&clock) as Arc<dyn Clock>);
    let token = forge(HEADER, &claims(&[]));
    assert!(verifier.verify(&token).is_ok());
    clock.advance(Duration::from_secs(3599));
    assert!(verifier.verify(&token).is_ok());
    clock.advance(Duration::from_secs(1));
    let ended = verifier.verify(&token).map(|_| ());
    assert_eq!(ended, Err(TokenError::Expired));
}

#[test]
fn a_refusal_is_not_remembered() {
    let clock = clock();
    let verifier = config().verifier(Arc::clone(&clock) as Arc<dyn Clock>);
    let nbf = (crate::forge::NOW + 100).to_string();
    let token = forge(HEADER, &claims(&[("nbf", &nbf)]));
    assert!(verifier.verify(&token).is_err());
    clock.advance(Duration::from_secs(100));
    assert!(verifier.verify(&token).is_ok());
}

#[test]
fn what_is_remembered_is_bounded() {
    let verifier = config().verifier(clock());
    let token = |number: usize| forge(HEADER, &claims(&[("jti", &format!("\"{number}\""))]));
    let first = verifier.verify(&token(0)).expect("genuine");
    for number in 1..4096 {
        assert!(verifier.verify(&token(number)).is_ok());
    }
    let again = verifier.verify(&token(0)).expect("genuine");
    assert!(!Arc::ptr_eq(&first, &again), "the oldest was forgotten");
}
