/** The remote calls the product makes, by generated file. Everything their messages reach is generated, less `omitted`. */
export const apis: readonly {
  readonly file: string;
  readonly protos: readonly string[];
  readonly methods: readonly string[];
  readonly extra: readonly string[];
}[] = [
  {
    file: 'cri',
    protos: ['k8s.io/cri-api/pkg/apis/runtime/v1/api.proto'],
    methods: [
      ...[
        'Version',
        'Status',
        'RunPodSandbox',
        'StopPodSandbox',
        'RemovePodSandbox',
        'PodSandboxStatus',
        'ListPodSandbox',
        'CreateContainer',
        'StartContainer',
        'StopContainer',
        'RemoveContainer',
        'ListContainers',
        'ContainerStatus',
        'UpdateContainerResources',
        'ReopenContainerLog',
        'Attach',
        'PortForward',
      ].map((method) => `runtime.v1.RuntimeService/${method}`),
      ...['ListImages', 'ImageStatus', 'PullImage', 'RemoveImage', 'ImageFsInfo'].map(
        (method) => `runtime.v1.ImageService/${method}`,
      ),
    ],
    extra: [],
  },
  {
    file: 'containerd',
    protos: [
      'events/v1/events',
      'tasks/v1/tasks',
      'containers/v1/containers',
      'images/v1/images',
      'content/v1/content',
      'leases/v1/leases',
      'version/v1/version',
    ]
      .map((name) => `github.com/containerd/containerd/api/services/${name}.proto`)
      .concat(
        'github.com/containerd/containerd/api/events/task.proto',
        'github.com/containerd/containerd/api/events/container.proto',
      ),
    methods: [
      ...['Subscribe', 'Publish'].map((method) => `containerd.services.events.v1.Events/${method}`),
      ...['Exec', 'Start', 'Wait', 'Kill', 'CloseIO', 'ResizePty', 'DeleteProcess'].map(
        (method) => `containerd.services.tasks.v1.Tasks/${method}`,
      ),
      'containerd.services.containers.v1.Containers/Get',
      ...['Create', 'Update'].map((method) => `containerd.services.images.v1.Images/${method}`),
      ...['Write', 'Update'].map((method) => `containerd.services.content.v1.Content/${method}`),
      ...['Create', 'Delete'].map((method) => `containerd.services.leases.v1.Leases/${method}`),
      'containerd.services.version.v1.Version/Version',
    ],
    extra: ['TaskStart', 'TaskExit', 'TaskOOM', 'ContainerCreate', 'ContainerDelete'].map((name) => `containerd.events.${name}`),
  },
];

/** Messages of platforms and features Skiff has not; fields of these types are left out. */
export const omitted =
  /\.(?:Windows\w*|SELinuxOption|CDIDevice|NetworkFeatures|RuntimeHandler\w*|UserNamespacesConfig|ContainerUser)$/;
