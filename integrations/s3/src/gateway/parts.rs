//! Which parts make an object, and what its checksum is. Pure.

use s3s::dto::CompletedPart;
use s3s::{S3Result, s3_error};

use super::checksums::{self, Algorithm, given_checksum};
use crate::store::{Checksum, Upload, UploadedPart};

/// Fewest bytes of every part but the last: 5 MiB.
const PART_SIZE_MIN: u64 = 5 << 20;

/// Which checksum the parts of an upload have.
pub(super) fn upload_algorithm(upload: &Upload) -> S3Result<Option<Algorithm>> {
    upload.checksum_algorithm.as_deref().map(Algorithm::parse).transpose()
}

/// The parts that the client lists, in its order, which must be theirs.
pub(super) fn chosen_parts(
    found: &[UploadedPart],
    listed: &[CompletedPart],
) -> S3Result<Vec<UploadedPart>> {
    let invalid = || {
        s3_error!(
            InvalidPart,
            "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag"
        )
    };
    let mut used: Vec<UploadedPart> = Vec::with_capacity(listed.len());
    for wanted in listed {
        let number = wanted.part_number.and_then(|number| u32::try_from(number).ok());
        let number = number.ok_or_else(invalid)?;
        if used.last().is_some_and(|last| last.part.number >= number) {
            return Err(s3_error!(
                InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number"
            ));
        }
        let at = found.binary_search_by_key(&number, |part| part.part.number);
        let part = at.ok().and_then(|at| found.get(at)).ok_or_else(invalid)?;
        let etag = wanted.e_tag.as_ref().ok_or_else(invalid)?;
        if etag.value() != part.etag {
            return Err(invalid());
        }
        let given = given_checksum!(wanted)?;
        if given.is_some() && given != part.part.checksum {
            return Err(invalid());
        }
        used.push(part.clone());
    }
    let all_but_last = used.len().saturating_sub(1);
    if used.iter().take(all_but_last).any(|part| part.part.size < PART_SIZE_MIN) {
        return Err(s3_error!(
            EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed object size"
        ));
    }
    Ok(used)
}

/// The checksum of the whole.
pub(super) fn checksum_of(
    upload: &Upload,
    algorithm: Option<Algorithm>,
    used: &[UploadedPart],
    given: Option<Checksum>,
) -> S3Result<Option<Checksum>> {
    let Some(algorithm) = algorithm else { return Ok(None) };
    let of_parts: Option<Vec<&Checksum>> =
        used.iter().map(|part| part.part.checksum.as_ref()).collect();
    let Some(of_parts) = of_parts else { return Ok(None) };
    let computed = if upload.checksum_of_content {
        let sizes = used.iter().map(|part| part.part.size);
        let parts: Vec<(&Checksum, u64)> = of_parts.into_iter().zip(sizes).collect();
        checksums::of_content(algorithm, &parts)
    } else {
        Some(checksums::of_parts(algorithm, &of_parts))
    };
    if let (Some(given), Some(computed)) = (&given, &computed) {
        let value = computed.value.split('-').next().unwrap_or_default();
        if given.algorithm != computed.algorithm || given.value != value {
            return Err(s3_error!(
                BadDigest,
                "The checksum you specified did not match the calculated checksum"
            ));
        }
    }
    Ok(computed)
}

/// `bytes=first-last`, both within the source.
pub(super) fn copy_range(range: &str, size: u64) -> S3Result<std::ops::Range<u64>> {
    let invalid = || {
        s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
        )
    };
    let (first, last) =
        range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(invalid)?;
    let number = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten()
    };
    let (first, last) = number(first).zip(number(last)).ok_or_else(invalid)?;
    if first > last || last >= size {
        return Err(s3_error!(
            InvalidArgument,
            "Range specified is not valid for source object of size: {size}"
        ));
    }
    Ok(first..last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_copies_lie_in_their_source() {
        assert_eq!(copy_range("bytes=0-0", 1).unwrap(), 0..1);
        assert_eq!(copy_range("bytes=5-9", 10).unwrap(), 5..10);
        for wrong in
            ["bytes=5-10", "bytes=5-4", "bytes=5-", "bytes=-5", "5-6", "bytes=+5-6", "bytes=-"]
        {
            assert!(copy_range(wrong, 10).is_err(), "{wrong}");
        }
    }
}
