//! The nearest name: `did you mean …?`.

/// From here on, of 1, a word was most likely meant.
const NEAR: f64 = 0.75;

/// The candidate that `typed` was most likely meant to be, if any is close.
pub(super) fn nearest<'a, S: AsRef<str> + ?Sized + 'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a S>,
) -> Option<&'a str> {
    let score = |candidate: &str| {
        let (typed, candidate) = (typed.to_lowercase(), candidate.to_lowercase());
        // One slip in a short word is a large share of it.
        let slip = typed.len() >= 3 && strsim::damerau_levenshtein(&typed, &candidate) == 1;
        strsim::normalized_damerau_levenshtein(&typed, &candidate)
            .max(0.9 * strsim::jaro_winkler(&typed, &candidate))
            .max(if slip { NEAR } else { 0.0 })
    };
    candidates
        .into_iter()
        .map(|it| (score(it.as_ref()), it.as_ref()))
        .filter(|(score, _)| *score >= NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?`, or all there is.
pub(super) fn hint<'a, S: AsRef<str> + ?Sized + 'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a S> + Clone,
) -> String {
    if let Some(candidate) = nearest(typed, candidates.clone()) {
        return format!("did you mean `{candidate}`?");
    }
    let all: Vec<String> = candidates.into_iter().map(|it| format!("`{}`", it.as_ref())).collect();
    if all.is_empty() {
        "there is none to choose from".to_owned()
    } else {
        format!("there is {}", all.join(", "))
    }
}
