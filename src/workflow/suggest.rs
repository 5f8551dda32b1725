//! The nearest name: `did you mean …?`.

/// The candidate that `typed` was most likely meant to be, if any is close.
pub(super) fn nearest<'a, S: AsRef<str> + ?Sized + 'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a S>,
) -> Option<&'a str> {
    let score = |candidate: &str| {
        let (typed, candidate) = (typed.to_lowercase(), candidate.to_lowercase());
        strsim::normalized_damerau_levenshtein(&typed, &candidate)
            .max(0.9 * strsim::jaro_winkler(&typed, &candidate))
    };
    candidates
        .into_iter()
        .map(|it| (score(it.as_ref()), it.as_ref()))
        .filter(|(score, _)| *score >= 0.75)
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
