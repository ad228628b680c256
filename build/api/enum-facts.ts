/**
 * The values of the scalar types that upstream declares as enumerations, in order and joined with commas: documents and `kubectl explain` show
 * them. Whether a value is accepted is not decided here.
 */

const realTimeSignals = [
  ...['', ...Array.from({ length: 14 }, (_, i) => `-${i + 1}`)].map((n) => `RTMAX${n}`),
  ...['', ...Array.from({ length: 15 }, (_, i) => `+${i + 1}`)].map((n) => `RTMIN${n}`),
];
const otherSignals =
  'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ';
const signals = [...otherSignals.split(' '), ...realTimeSignals]
  .map((name) => `SIG${name}`)
  .sort()
  .join(',');

const enums: Readonly<Record<string, string>> = {
  'admissionregistration/v1.FailurePolicyType': 'Fail,Ignore',
  'admissionregistration/v1.MatchPolicyType': 'Equivalent,Exact',
  'admissionregistration/v1.OperationType': '*,CONNECT,CREATE,DELETE,UPDATE',
  'admissionregistration/v1.PatchType': 'ApplyConfiguration,JSONPatch',
  'admissionregistration/v1.ReinvocationPolicyType': 'IfNeeded,Never',
  'admissionregistration/v1.ScopeType': '*,Cluster,Namespaced',
  'admissionregistration/v1.SideEffectClass': 'None,NoneOnDryRun,Some,Unknown',
  'admissionregistration/v1.ValidationAction': 'Audit,Deny,Warn',
  'apiextensions/v1.FieldValueErrorReason': 'FieldValueDuplicate,FieldValueForbidden,FieldValueInvalid,FieldValueRequired',
  'apps/v1.DaemonSetUpdateStrategyType': 'OnDelete,RollingUpdate',
  'apps/v1.DeploymentStrategyType': 'Recreate,RollingUpdate',
  'apps/v1.PodManagementPolicyType': 'OrderedReady,Parallel',
  'apps/v1.StatefulSetUpdateStrategyType': 'OnDelete,RollingUpdate',
  'autoscaling/v1.MetricSourceType': 'ContainerResource,External,Object,Pods,Resource',
  'batch/v1.CompletionMode': 'Indexed,NonIndexed',
  'batch/v1.ConcurrencyPolicy': 'Allow,Forbid,Replace',
  'batch/v1.PodFailurePolicyAction': 'Count,FailIndex,FailJob,Ignore',
  'batch/v1.PodFailurePolicyOnExitCodesOperator': 'In,NotIn',
  'batch/v1.PodReplacementPolicy': 'Failed,TerminatingOrFailed',
  'certificates/v1.KeyUsage':
    'any,cert sign,client auth,code signing,content commitment,crl sign,data encipherment,decipher only,digital signature,email protection,encipher only,ipsec end system,ipsec tunnel,ipsec user,key agreement,key encipherment,microsoft sgc,netscape sgc,ocsp signing,s/mime,server auth,signing,timestamping',
  'core/v1.AppArmorProfileType': 'Localhost,RuntimeDefault,Unconfined',
  'core/v1.AzureDataDiskCachingMode': 'None,ReadOnly,ReadWrite',
  'core/v1.AzureDataDiskKind': 'Dedicated,Managed,Shared',
  'core/v1.ClaimResourceStatus':
    'ControllerResizeInProgress,ControllerResizeInfeasible,NodeResizeInProgress,NodeResizeInfeasible,NodeResizePending',
  'core/v1.DNSPolicy': 'ClusterFirst,ClusterFirstWithHostNet,Default,None',
  'core/v1.HostPathType': ',BlockDevice,CharDevice,Directory,DirectoryOrCreate,File,FileOrCreate,Socket',
  'core/v1.IPFamily': ',IPv4,IPv6',
  'core/v1.IPFamilyPolicy': 'PreferDualStack,RequireDualStack,SingleStack',
  'core/v1.MountPropagationMode': 'Bidirectional,HostToContainer,None',
  'core/v1.NamespacePhase': 'Active,Terminating',
  'core/v1.NodeInclusionPolicy': 'Honor,Ignore',
  'core/v1.NodePhase': 'Pending,Running,Terminated',
  'core/v1.NodeSelectorOperator': 'DoesNotExist,Exists,Gt,In,Lt,NotIn',
  'core/v1.PersistentVolumeAccessMode': 'ReadOnlyMany,ReadWriteMany,ReadWriteOnce,ReadWriteOncePod',
  'core/v1.PersistentVolumeClaimModifyVolumeStatus': 'InProgress,Infeasible,Pending',
  'core/v1.PersistentVolumeClaimPhase': 'Bound,Lost,Pending',
  'core/v1.PersistentVolumeMode': 'Block,Filesystem',
  'core/v1.PersistentVolumePhase': 'Available,Bound,Failed,Pending,Released',
  'core/v1.PersistentVolumeReclaimPolicy': 'Delete,Recycle,Retain',
  'core/v1.PodFSGroupChangePolicy': 'Always,OnRootMismatch',
  'core/v1.PodPhase': 'Failed,Pending,Running,Succeeded,Unknown',
  'core/v1.PodQOSClass': 'BestEffort,Burstable,Guaranteed',
  'core/v1.PreemptionPolicy': 'Never,PreemptLowerPriority',
  'core/v1.ProcMountType': 'Default,Unmasked',
  'core/v1.Protocol': 'SCTP,TCP,UDP',
  'core/v1.PullPolicy': 'Always,IfNotPresent,Never',
  'core/v1.ResourceQuotaScope':
    'BestEffort,CrossNamespacePodAffinity,NotBestEffort,NotTerminating,PriorityClass,Terminating,VolumeAttributesClass',
  'core/v1.RestartPolicy': 'Always,Never,OnFailure',
  'core/v1.ScopeSelectorOperator': 'DoesNotExist,Exists,In,NotIn',
  'core/v1.SeccompProfileType': 'Localhost,RuntimeDefault,Unconfined',
  'core/v1.ServiceAffinity': 'ClientIP,None',
  'core/v1.ServiceExternalTrafficPolicy': 'Cluster,Local',
  'core/v1.ServiceInternalTrafficPolicy': 'Cluster,Local',
  'core/v1.ServiceType': 'ClusterIP,ExternalName,LoadBalancer,NodePort',
  'core/v1.Signal': signals,
  'core/v1.SupplementalGroupsPolicy': 'Merge,Strict',
  'core/v1.TaintEffect': 'NoExecute,NoSchedule,PreferNoSchedule',
  'core/v1.TerminationMessagePolicy': 'FallbackToLogsOnError,File',
  'core/v1.TolerationOperator': 'Equal,Exists,Gt,Lt',
  'core/v1.URIScheme': 'HTTP,HTTPS',
  'core/v1.UnsatisfiableConstraintAction': 'DoNotSchedule,ScheduleAnyway',
  'discovery/v1.AddressType': 'FQDN,IPv4,IPv6',
  'networking/v1.PathType': 'Exact,ImplementationSpecific,Prefix',
  'networking/v1.PolicyType': 'Egress,Ingress',
  'policy/v1.UnhealthyPodEvictionPolicyType': 'AlwaysAllow,IfHealthyBudget',
  'resource/v1.AllocationConfigSource': 'FromClaim,FromClass',
  'resource/v1.DeviceAllocationMode': 'All,ExactCount',
  'resource/v1.DeviceTaintEffect': 'NoExecute,NoSchedule,None',
  'resource/v1.DeviceTolerationOperator': 'Equal,Exists',
  'storage/v1.VolumeBindingMode': 'Immediate,WaitForFirstConsumer',
};

/** The values of a Go type, as fields of a struct in `goPackage` name it: `v1.RestartPolicy`. Undefined when it is no enumeration. */
export function enumValues(goType: string, goPackage: string): readonly string[] | undefined {
  const name = goType.slice(goType.indexOf('.') + 1);
  return (enums[`${goPackage}.${name}`] ?? enums[`core/v1.${name}`])?.split(',');
}

/** All of them: `core/v1.RestartPolicy` → its values. */
export function allEnums(): Map<string, readonly string[]> {
  return new Map(Object.entries(enums).map(([name, values]) => [name, values.split(',')]));
}
