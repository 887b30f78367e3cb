//! Project Wycheproof's signatures, through the shim's `signature_verify`.
//!
//! Every vector is accounted for: it verifies, or does not, or its key is refused when it is loaded, and how many
//! of each there are is pinned, so that nothing is skipped in silence.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use donjon::base64url;
use serde_json::{Value, json};
use wycheproof::TestResult;

/// What became of a set's vectors.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    valid: usize,
    invalid: usize,
    refused_at_load: usize,
}

fn count(valid: usize, invalid: usize, refused_at_load: usize) -> Count {
    Count { valid, invalid, refused_at_load }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn verify(jwk: &Value, alg: &str, message: &[u8], signature: &[u8]) -> Value {
    let request = json!({
        "id": 0,
        "op": "signature_verify",
        "keys": {"keys": [jwk]},
        "alg": alg,
        "message_hex": hex(message),
        "signature_hex": hex(signature),
    });
    serde_json::from_str(&donjon_shim::answer(&request.to_string())).unwrap()
}

impl Count {
    /// Checks one vector. `fits` says whether JWS admits such a signature at all (RFC 7518 §3).
    fn check(&mut self, name: &str, answer: &Value, result: TestResult, fits: bool) {
        if answer["ok"] == json!(false) {
            assert_eq!(answer["error"], "config_error", "{name}: {answer}");
            self.refused_at_load += 1;
            return;
        }
        match result {
            TestResult::Valid if fits => {
                assert_eq!(answer["valid"], json!(true), "{name}");
                self.valid += 1;
            }
            TestResult::Valid | TestResult::Invalid => {
                assert_eq!(answer["valid"], json!(false), "{name}");
                self.invalid += 1;
            }
            // Allowed either way: what it came to is in the pinned counts.
            TestResult::Acceptable if answer["valid"] == json!(true) => self.valid += 1,
            TestResult::Acceptable => self.invalid += 1,
        }
    }
}

mod ecdsa {
    use super::*;
    use wycheproof::ecdsa::{TestName, TestSet};

    fn run(name: TestName, curve: &str, alg: &str) -> Count {
        let mut count = Count::default();
        for group in TestSet::load(name).unwrap().test_groups {
            // 4 ‖ x ‖ y
            let point = &group.key.key[1..];
            let (x, y) = point.split_at(point.len() / 2);
            let jwk =
                json!({"kty": "EC", "crv": curve, "x": base64url::encode(x), "y": base64url::encode(y)});
            for test in group.tests {
                let answer = verify(&jwk, alg, &test.msg, &test.sig);
                count.check(&format!("{alg} {} {}", test.tc_id, test.comment), &answer, test.result, true);
            }
        }
        count
    }

    #[test]
    fn p256_with_sha256() {
        assert_eq!(run(TestName::EcdsaSecp256r1Sha256P1363, "P-256", "ES256"), count(173, 89, 0));
    }

    #[test]
    fn p384_with_sha384() {
        assert_eq!(run(TestName::EcdsaSecp384r1Sha384P1363, "P-384", "ES384"), count(193, 87, 0));
    }
}

mod eddsa {
    use super::*;
    use wycheproof::eddsa::{TestName, TestSet};

    #[test]
    fn ed25519() {
        let mut total = Count::default();
        for group in TestSet::load(TestName::Ed25519).unwrap().test_groups {
            let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url::encode(&group.key.pk)});
            for test in group.tests {
                let answer = verify(&jwk, "EdDSA", &test.msg, &test.sig);
                total.check(&format!("EdDSA {} {}", test.tc_id, test.comment), &answer, test.result, true);
            }
        }
        assert_eq!(total, count(88, 63, 0));
    }
}

mod hmac {
    use super::*;
    use wycheproof::mac::{TestName, TestSet};

    /// Tags that are cut short are valid to Wycheproof; JWS has whole ones only. Secrets shorter than the hash
    /// are refused when they are loaded (RFC 7518 §3.2).
    fn run(name: TestName, alg: &str, bits: usize) -> Count {
        let mut total = Count::default();
        for group in TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let jwk = json!({"kty": "oct", "alg": alg, "k": base64url::encode(&test.key)});
                let answer = verify(&jwk, alg, &test.msg, &test.tag);
                assert_eq!(answer["ok"] == json!(true), test.key.len() * 8 >= bits, "{alg} {}", test.tc_id);
                total.check(&format!("{alg} {}", test.tc_id), &answer, test.result, group.tag_size == bits);
            }
        }
        total
    }

    #[test]
    fn with_sha256() {
        assert_eq!(run(TestName::HmacSha256, "HS256", 256), count(30, 138, 6));
    }

    #[test]
    fn with_sha384() {
        assert_eq!(run(TestName::HmacSha384, "HS384", 384), count(30, 138, 6));
    }

    #[test]
    fn with_sha512() {
        assert_eq!(run(TestName::HmacSha512, "HS512", 512), count(30, 138, 6));
    }
}

mod rsa {
    use super::*;
    use wycheproof::{HashFunction, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

    fn jwk(modulus: &[u8], exponent: &[u8]) -> Value {
        let unsigned = |bytes: &[u8]| {
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            base64url::encode(&bytes[zeros..])
        };
        json!({"kty": "RSA", "n": unsigned(modulus), "e": unsigned(exponent)})
    }

    fn run_pkcs1(name: pkcs1::TestName) -> Count {
        let mut total = Count::default();
        for group in pkcs1::TestSet::load(name).unwrap().test_groups {
            let key = jwk(&group.key.n, &group.key.e);
            for test in group.tests {
                let answer = verify(&key, "RS256", &test.msg, &test.sig);
                total.check(&format!("RS256 {} {}", test.tc_id, test.comment), &answer, test.result, true);
            }
        }
        total
    }

    /// PS256 is SHA-256, MGF1 with SHA-256, and a salt as long as the hash (RFC 7518 §3.5).
    fn run_pss(name: pss::TestName) -> Count {
        let mut total = Count::default();
        for group in pss::TestSet::load(name).unwrap().test_groups {
            let key = jwk(&group.key.n, &group.key.e);
            let fits = group.mgf_hash == Some(HashFunction::Sha2_256) && group.salt_size == 32;
            for test in group.tests {
                let answer = verify(&key, "PS256", &test.msg, &test.sig);
                // In the set without a salt, the forgery with one of 32 bytes is what PS256 asks for.
                let is_ps256 = group.salt_size == 0 && test.comment == "s_len changed to 32";
                let (result, fits) = if is_ps256 { (TestResult::Valid, true) } else { (test.result, fits) };
                total.check(&format!("PS256 {} {}", test.tc_id, test.comment), &answer, result, fits);
            }
        }
        total
    }

    #[test]
    fn pkcs1_with_2048_bits() {
        assert_eq!(run_pkcs1(pkcs1::TestName::Rsa2048Sha256), count(9, 250, 0));
    }

    #[test]
    fn pkcs1_with_3072_bits() {
        assert_eq!(run_pkcs1(pkcs1::TestName::Rsa3072Sha256), count(8, 251, 0));
    }

    #[test]
    fn pkcs1_with_4096_bits() {
        assert_eq!(run_pkcs1(pkcs1::TestName::Rsa4096Sha256), count(7, 251, 0));
    }

    #[test]
    fn pkcs1_with_8192_bits() {
        assert_eq!(run_pkcs1(pkcs1::TestName::Rsa8192Sha256), count(7, 251, 0));
    }

    #[test]
    fn pss_with_2048_bits() {
        assert_eq!(run_pss(pss::TestName::RsaPss2048Sha256Mgf1SaltLen32), count(63, 45, 0));
    }

    #[test]
    fn pss_with_3072_bits() {
        assert_eq!(run_pss(pss::TestName::RsaPss3072Sha256Mgf1SaltLen32), count(63, 45, 0));
    }

    #[test]
    fn pss_with_4096_bits() {
        assert_eq!(run_pss(pss::TestName::RsaPss4096Sha256Mgf1SaltLen32), count(63, 45, 0));
    }

    #[test]
    fn pss_without_a_salt_is_not_ps256() {
        assert_eq!(run_pss(pss::TestName::RsaPss2048Sha256Mgf1SaltLen0), count(1, 102, 0));
    }

    #[test]
    fn pss_with_another_mask_is_not_ps256() {
        assert_eq!(run_pss(pss::TestName::RsaPss2048Sha256Mgf1Sha1_20), count(0, 108, 0));
    }
}
