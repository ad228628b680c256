/** Every case there must be, in the order of the recording: they build on each other. */
export const caseIds: readonly string[] = `
  notfound-object notfound-resource notfound-path create-in-missing-namespace create duplicate no-name generateName
  wrong-kind wrong-apiversion wrong-namespace bad-json wrong-field-type rv-on-create conflict unconditional-update
  name-mismatch uid-mismatch put-missing put-missing-upsert-lease lease-update-without-rv invalid unknown-field-warn
  unknown-field-strict fieldvalidation-bad dryrun method-not-allowed not-acceptable unsupported-media table table-nodata
  table-406 partialmeta yaml ssar list-limit list-limit-rv0 list-rv-bad list-rv-future list-exact-future
  list-match-without-rv list-exact-0 list-continue-bad list-fieldselector-bad list-labelselector-bad watch-rv0
  watch-list watch-list-no-match list-sendInitialEvents watch-too-old watch-future delete delete-uid-precondition
  delete-bad-propagation delete-both delete-ok deletecollection delete-foreground-prep delete-foreground scale-get-prep
  scale-get scale-put status-put-ignores-spec ssa-create ssa-conflict ssa-force ssa-drop-field ssa-no-manager
  ssa-managedfields force-non-apply jsonpatch-test-fails jsonpatch-missing-path patch-rv-conflict patch-missing
  evict-missing log-no-node-prep log-needs-container log-not-scheduled exec-no-upgrade pod-immutable binding
  binding-again delete-scheduled-pod delete-scheduled-pod-force ns-default-delete impersonate-denied
  impersonate-without-user quota-prep quota-exceeded quota-del psa-prep psa-denied psa-warn psa-off
  priorityclass-missing serviceaccount-missing runtimeclass-missing svc-clusterip-immutable-prep svc-clusterip-immutable
  svc-nodeport-range secret-stringData immutable-cm-prep immutable-cm component-statuses version healthz api oidc
`
  .trim()
  .split(/\s+/);
