//! 1xxx: what can be wrong with a workflow file.

super::codes! { WORKFLOW;
    E1001 Usage "the workflow file cannot be read",
}
