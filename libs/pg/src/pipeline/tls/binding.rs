//! `tls-server-end-point` (RFC 5929): the hash of the server's certificate, which SCRAM-PLUS
//! mixes into the authentication so that nobody can stand in between.

use sha2::{Digest as _, Sha256, Sha384, Sha512};

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;

/// The content of the object identifiers of the signature algorithms that certificates use.
const SHA256: [&[u8]; 4] = [
    // sha256WithRSAEncryption, ecdsa-with-SHA256; MD5 and SHA-1 with RSA are hashed as SHA-256.
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04],
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05],
];
const SHA384: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03],
];
const SHA512: [&[u8]; 2] = [
    &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d],
    &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04],
];

/// The hash of `certificate` (DER) by the algorithm it is signed with; `None` where that names no
/// hash that RFC 5929 knows (Ed25519, RSA-PSS).
pub(in crate::pipeline) fn end_point_hash(certificate: &[u8]) -> Option<Vec<u8>> {
    let algorithm = signature_algorithm(certificate)?;
    if SHA256.contains(&algorithm) {
        Some(Sha256::digest(certificate).to_vec())
    } else if SHA384.contains(&algorithm) {
        Some(Sha384::digest(certificate).to_vec())
    } else if SHA512.contains(&algorithm) {
        Some(Sha512::digest(certificate).to_vec())
    } else {
        None
    }
}

/// `Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm SEQUENCE { OID, … }, … }`.
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    let (fields, _) = element(certificate, SEQUENCE)?;
    let (_, after_body) = element(fields, SEQUENCE)?;
    let (algorithm, _) = element(after_body, SEQUENCE)?;
    element(algorithm, OBJECT_IDENTIFIER).map(|(identifier, _)| identifier)
}

/// The content of the DER element at the front, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&short, rest) = rest.split_first()?;
    let (length, rest) = if short < 0x80 {
        (usize::from(short), rest)
    } else {
        let (long, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
        let shift = |sum: usize, byte: &u8| sum.checked_mul(256)?.checked_add(usize::from(*byte));
        (long.iter().try_fold(0, shift)?, rest)
    };
    (found == tag).then(|| rest.split_at_checked(length))?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate's outline: an empty body and an algorithm.
    fn certificate(algorithm: &[u8]) -> Vec<u8> {
        let length = u8::try_from(algorithm.len()).expect("short");
        let mut der = vec![SEQUENCE, length + 6, SEQUENCE, 0, SEQUENCE, length + 2];
        der.extend([OBJECT_IDENTIFIER, length]);
        der.extend(algorithm);
        der
    }

    #[test]
    fn the_certificate_is_hashed_as_it_is_signed() {
        for (algorithm, length) in [(SHA256[1], 32), (SHA384[0], 48), (SHA512[1], 64)] {
            let hash = end_point_hash(&certificate(algorithm)).expect("a known algorithm");
            assert_eq!(hash.len(), length);
        }
        assert_eq!(end_point_hash(&certificate(&[0x2b, 0x65, 0x70])), None);
    }

    #[test]
    fn what_is_no_certificate_has_no_hash() {
        let whole = certificate(SHA256[0]);
        for end in 0..whole.len() {
            assert_eq!(end_point_hash(&whole[..end]), None);
        }
        assert_eq!(end_point_hash(&[SEQUENCE, 0xff, 1, 2]), None);
    }
}
