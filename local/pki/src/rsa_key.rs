//! RSA keys of 2048 bits, as AWS IoT hands out. ring, which signs with them, cannot generate them.

use std::io;

use num_bigint::BigUint;
use rcgen::KeyPair;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer};

use super::prime::{PUBLIC_EXPONENT, random_prime};

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;
/// `AlgorithmIdentifier` of RSA keys, DER (RFC 8017, A.1).
const RSA_ENCRYPTION: [u8; 15] = [0x30, 13, 0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 0x05, 0];
/// Characters in a line of PEM.
const PEM_COLUMNS: usize = 64;

/// A private key, as `RSAPrivateKey` of PKCS #1 (RFC 8017, A.1.2), DER.
pub(super) struct RsaKey(Vec<u8>);

impl RsaKey {
    /// A new key. This takes some two tenths of a second, as with OpenSSL.
    pub(super) fn generate() -> io::Result<Self> {
        let random = rustls::crypto::ring::default_provider().secure_random;
        loop {
            let (one, other) = (random_prime(random)?, random_prime(random)?);
            // As ring asks for, p is the greater one.
            if let Some(key) = Self::from_primes(&one.clone().max(other.clone()), &one.min(other)) {
                return Ok(key);
            }
        }
    }

    /// `None` where the primes are equal.
    fn from_primes(p: &BigUint, q: &BigUint) -> Option<Self> {
        let (p_minus_1, q_minus_1) = (p - 1_u32, q - 1_u32);
        let exponent = BigUint::from(PUBLIC_EXPONENT);
        let d = exponent.modinv(&(&p_minus_1 * &q_minus_1))?;
        let numbers = [&(p * q), &exponent, &d, p, q, &(&d % &p_minus_1), &(&d % &q_minus_1), &q.modinv(p)?];
        let numbers = numbers.into_iter().flat_map(integer);
        Some(Self(element(SEQUENCE, &integer(&BigUint::ZERO).into_iter().chain(numbers).collect::<Vec<u8>>())))
    }

    /// The key for signing.
    pub(super) fn key_pair(&self) -> io::Result<KeyPair> {
        KeyPair::try_from(&self.pkcs8()).map_err(io::Error::other)
    }

    pub(super) fn der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs1KeyDer::from(self.0.clone()).into()
    }

    /// The key as AWS IoT and `openssl rsa` write it.
    pub(super) fn pem(&self) -> String {
        let text = data_encoding::BASE64.encode(&self.0);
        let mut pem = String::from("-----BEGIN RSA PRIVATE KEY-----\n");
        for (index, character) in text.chars().enumerate() {
            if index > 0 && index % PEM_COLUMNS == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem + "\n-----END RSA PRIVATE KEY-----\n"
    }

    /// `PrivateKeyInfo` of PKCS #8 (RFC 5208).
    fn pkcs8(&self) -> PrivatePkcs8KeyDer<'static> {
        let version = integer(&BigUint::ZERO);
        let content = [&version[..], &RSA_ENCRYPTION, &element(OCTET_STRING, &self.0)].concat();
        element(SEQUENCE, &content).into()
    }
}

/// A number that is not negative, DER.
fn integer(number: &BigUint) -> Vec<u8> {
    let mut bytes = number.to_bytes_be();
    if bytes.first().is_some_and(|first| first & 0x80 != 0) {
        bytes.insert(0, 0);
    }
    element(INTEGER, &bytes)
}

/// Tag, length and content, DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut bytes = vec![tag];
    match length {
        [] => bytes.push(0),
        [short] if *short < 0x80 => bytes.push(*short),
        // At most eight bytes.
        long => bytes.extend([0x80 | long.len() as u8].iter().chain(long)),
    }
    bytes.extend(content);
    bytes
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn der_lengths_are_as_short_as_possible() {
        for (content, header) in [
            (0, &[4, 0][..]),
            (1, &[4, 1]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (256, &[4, 0x82, 1, 0]),
            (65_536, &[4, 0x83, 1, 0, 0]),
        ] {
            let bytes = element(OCTET_STRING, &vec![7; content]);
            assert_eq!(bytes.split_at(header.len()), (header, &vec![7; content][..]));
        }
        assert_eq!(integer(&BigUint::ZERO), [2, 1, 0]);
        assert_eq!(integer(&BigUint::from(128_u32)), [2, 2, 0, 128]);
    }

    #[test]
    fn the_key_of_two_primes_is_the_key_that_openssl_makes_of_them() {
        // p = 61, q = 53: 65537 * 2753 = 1 modulo 3120 as 65537 = 17 modulo 3120.
        let key = RsaKey::from_primes(&BigUint::from(61_u32), &BigUint::from(53_u32)).unwrap();
        let (n, e, d) = ([2, 2, 0x0C, 0xA1], [2, 3, 1, 0, 1], [2, 2, 0x0A, 0xC1]);
        let (p, q, dp, dq, q_inverse) = ([2, 1, 61], [2, 1, 53], [2, 1, 53], [2, 1, 49], [2, 1, 38]);
        let expected: [&[u8]; 10] = [&[0x30, 31], &[2, 1, 0], &n, &e, &d, &p, &q, &dp, &dq, &q_inverse];
        assert_eq!(key.0, expected.concat());
        assert!(RsaKey::from_primes(&BigUint::from(61_u32), &BigUint::from(61_u32)).is_none());
    }

    #[test]
    fn generated_key_signs_and_its_pem_is_pkcs_1() {
        let key = RsaKey::generate().unwrap();
        let pair = key.key_pair().unwrap();
        // Signing proves that the numbers fit together.
        let certificate = rcgen::CertificateParams::new(["t".to_owned()]).unwrap().self_signed(&pair).unwrap();
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate.der()).unwrap();
        let x509_parser::public_key::PublicKey::RSA(public) = parsed.public_key().parsed().unwrap() else {
            panic!("not an RSA key")
        };
        assert_eq!((public.key_size(), public.try_exponent().unwrap()), (2_048, 65_537));
        let pem = key.pem();
        assert!(pem.lines().all(|line| line.len() <= PEM_COLUMNS));
        match PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap() {
            PrivateKeyDer::Pkcs1(der) => assert_eq!(der.secret_pkcs1_der(), key.0),
            other => panic!("{other:?}"),
        }
    }
}
