//! Random primes for RSA keys.

use std::io;

use num_bigint::BigUint;
use rustls::crypto::SecureRandom;

/// Bits of a prime: two make a key of 2048 bits.
const BITS: u64 = 1_024;
/// The public exponent of every key: no prime is 1 modulo this number.
pub(super) const PUBLIC_EXPONENT: u32 = 65_537;
/// Odd numbers after a random one among which a prime is looked for. One of 355 is prime.
const WINDOW: usize = 4_096;
/// Divisors below this number are ruled out before a number is tested.
const SIEVE_LIMIT: u32 = 8_192;
/// Miller-Rabin tests with random bases. FIPS 186-5 (table B.1) asks for 4 at this size.
const RANDOM_BASES: usize = 8;

/// A random prime of 1024 bits whose two highest bits are set, so that the product of two has 2048 bits.
pub(super) fn random_prime(random: &dyn SecureRandom) -> io::Result<BigUint> {
    let divisors = odd_primes_below(SIEVE_LIMIT);
    loop {
        let mut start = random_number(random)?;
        for bit in [0, BITS - 2, BITS - 1] {
            start.set_bit(bit, true);
        }
        for offset in offsets_without_divisor(&start, &divisors) {
            let candidate = &start + 2 * offset;
            let is_coprime = (&candidate - 1_u32) % PUBLIC_EXPONENT != BigUint::ZERO;
            if candidate.bits() == BITS && is_coprime && is_probably_prime(&candidate, random)? {
                return Ok(candidate);
            }
        }
    }
}

/// The `offset` for each number `start + 2 * offset` of the window that none of the odd `divisors` divides.
fn offsets_without_divisor(start: &BigUint, divisors: &[u32]) -> impl Iterator<Item = usize> + use<> {
    let mut is_divided = vec![false; WINDOW];
    for &divisor in divisors {
        let remainder = (start % divisor).iter_u32_digits().next().unwrap_or(0);
        // start + 2 * first = 0 modulo the divisor, which is odd.
        let missing = (divisor - remainder) % divisor;
        let first = if missing.is_multiple_of(2) { missing / 2 } else { (missing + divisor) / 2 };
        is_divided.iter_mut().skip(first as usize).step_by(divisor as usize).for_each(|divided| *divided = true);
    }
    is_divided.into_iter().enumerate().filter(|(_, divided)| !divided).map(|(offset, _)| offset)
}

/// The Miller-Rabin test of an odd number above 4, with base 2 and random bases.
fn is_probably_prime(number: &BigUint, random: &dyn SecureRandom) -> io::Result<bool> {
    let one = BigUint::from(1_u32);
    let minus_one = number - &one;
    let twos = minus_one.trailing_zeros().unwrap_or(0);
    let odd = &minus_one >> twos;
    let mut base = BigUint::from(2_u32);
    for _ in 0..=RANDOM_BASES {
        let mut power = base.modpow(&odd, number);
        let mut is_witness = power != one && power != minus_one;
        for _ in 1..twos {
            if !is_witness {
                break;
            }
            power = &power * &power % number;
            is_witness = power != minus_one;
        }
        if is_witness {
            return Ok(false);
        }
        // From 2 to number - 2.
        base = random_number(random)? % (number - 3_u32) + 2_u32;
    }
    Ok(true)
}

fn random_number(random: &dyn SecureRandom) -> io::Result<BigUint> {
    let mut bytes = [0; BITS as usize / 8];
    random.fill(&mut bytes).map_err(|_| io::Error::other("the system has no random numbers"))?;
    Ok(BigUint::from_bytes_be(&bytes))
}

fn odd_primes_below(limit: u32) -> Vec<u32> {
    let mut primes: Vec<u32> = Vec::new();
    for number in (3..limit).step_by(2) {
        let mut up_to_its_root = primes.iter().take_while(|prime| **prime * **prime <= number);
        if !up_to_its_root.any(|prime| number.is_multiple_of(*prime)) {
            primes.push(number);
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> &'static dyn SecureRandom {
        rustls::crypto::ring::default_provider().secure_random
    }

    fn is_prime(number: u64) -> bool {
        is_probably_prime(&BigUint::from(number), random()).unwrap()
    }

    #[test]
    fn small_primes_are_recognized() {
        let primes = odd_primes_below(10_000);
        assert_eq!((primes.len(), primes[..5].to_vec()), (1_228, vec![3, 5, 7, 11, 13]));
        for number in (5..10_000).step_by(2) {
            assert_eq!(is_prime(number.into()), primes.contains(&number), "{number}");
        }
    }

    #[test]
    fn pseudoprimes_are_composite() {
        // Carmichael numbers, and numbers that pass the test with base 2.
        for number in [561, 41_041, 825_265, 321_197_185, 2_047, 3_277, 3_215_031_751, 3_825_123_056_546_413_051] {
            assert!(!is_prime(number), "{number}");
        }
        for prime in [2_147_483_647, 2_305_843_009_213_693_951] {
            assert!(is_prime(prime), "{prime}");
        }
    }

    #[test]
    fn sieve_keeps_exactly_what_no_divisor_divides() {
        let start = BigUint::from(1_000_003_u32);
        let divisors = odd_primes_below(100);
        let kept: Vec<usize> = offsets_without_divisor(&start, &divisors).collect();
        let expected = (0..WINDOW).filter(|offset| {
            let number = 1_000_003 + 2 * *offset as u64;
            !divisors.iter().any(|divisor| number.is_multiple_of(u64::from(*divisor)))
        });
        assert_eq!(kept, expected.collect::<Vec<_>>());
    }

    #[test]
    fn random_prime_has_its_bits() {
        let prime = random_prime(random()).unwrap();
        assert!(prime.bits() == BITS && prime.bit(BITS - 2) && prime.bit(0), "{prime}");
        assert_ne!(prime, random_prime(random()).unwrap());
    }
}
