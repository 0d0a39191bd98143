"""A client of the Kubernetes CRI: cri.py SOCKET METHOD [REQUEST], request and answer as JSON with the names of api.proto.

Only the messages and fields that tests/clients/cri.bats uses; Debian has no package of the generated classes."""
import re
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

# MESSAGE: name type number, …     (`*` repeated; a type that is no scalar is another message)
API = """
Empty:
RunPodSandboxRequest: config PodSandboxConfig 1, runtime_handler string 2
RunPodSandboxResponse: pod_sandbox_id string 1
PodSandboxConfig: metadata PodSandboxMetadata 1, hostname string 2, log_directory string 3, linux LinuxPodSandboxConfig 8
PodSandboxMetadata: name string 1, uid string 2, namespace string 3, attempt uint32 4
LinuxPodSandboxConfig: cgroup_parent string 1, security_context LinuxSandboxSecurityContext 2
LinuxSandboxSecurityContext: namespace_options NamespaceOption 1, privileged bool 6
NamespaceOption: network int32 1, pid int32 2, ipc int32 3
PodSandboxRequest: pod_sandbox_id string 1
CreateContainerRequest: pod_sandbox_id string 1, config ContainerConfig 2, sandbox_config PodSandboxConfig 3
CreateContainerResponse: container_id string 1
ContainerConfig: metadata ContainerMetadata 1, image ImageSpec 2, command *string 3, working_dir string 5, log_path string 11, tty bool 14, linux LinuxContainerConfig 15
ContainerMetadata: name string 1, attempt uint32 2
ImageSpec: image string 1
LinuxContainerConfig: resources LinuxContainerResources 1, security_context LinuxContainerSecurityContext 2
LinuxContainerResources: cpu_period int64 1, cpu_quota int64 2, cpu_shares int64 3, memory_limit_in_bytes int64 4
LinuxContainerSecurityContext: capabilities Capability 1, privileged bool 2, namespace_options NamespaceOption 3, run_as_user Int64Value 5, readonly_rootfs bool 7, no_new_privs bool 11, seccomp SecurityProfile 15
Capability: add_capabilities *string 1, drop_capabilities *string 2
SecurityProfile: profile_type int32 1
Int64Value: value int64 1
ContainerRequest: container_id string 1
StopContainerRequest: container_id string 1, timeout int64 2
UpdateContainerResourcesRequest: container_id string 1, linux LinuxContainerResources 2
ContainerStatusResponse: status ContainerStatus 1
ContainerStatus: id string 1, state int32 3, exit_code int32 7, reason string 10, message string 11
ExecSyncRequest: container_id string 1, cmd *string 2, timeout int64 3
ExecSyncResponse: stdout bytes 1, stderr bytes 2, exit_code int32 3
VersionResponse: version string 1, runtime_name string 2, runtime_version string 3
"""

METHODS = {
    "Version": ("Empty", "VersionResponse"),
    "RunPodSandbox": ("RunPodSandboxRequest", "RunPodSandboxResponse"),
    "StopPodSandbox": ("PodSandboxRequest", "Empty"),
    "RemovePodSandbox": ("PodSandboxRequest", "Empty"),
    "CreateContainer": ("CreateContainerRequest", "CreateContainerResponse"),
    "StartContainer": ("ContainerRequest", "Empty"),
    "StopContainer": ("StopContainerRequest", "Empty"),
    "RemoveContainer": ("ContainerRequest", "Empty"),
    "ContainerStatus": ("ContainerRequest", "ContainerStatusResponse"),
    "UpdateContainerResources": ("UpdateContainerResourcesRequest", "Empty"),
    "ExecSync": ("ExecSyncRequest", "ExecSyncResponse"),
}


def message_classes():
    Field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="cri.proto", package="runtime.v1", syntax="proto3")
    for line in API.strip().splitlines():
        name, fields = line.split(":")
        message = file.message_type.add(name=name)
        for field_name, repeated, kind, number in re.findall(r"(\w+) (\*?)(\w+) (\d+)", fields):
            field = message.field.add(name=field_name, number=int(number), json_name=field_name)
            field.label = Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL
            if kind[0].isupper():
                field.type = Field.TYPE_MESSAGE
                field.type_name = ".runtime.v1." + kind
            else:
                field.type = getattr(Field, "TYPE_" + kind.upper())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    return lambda name: factory.GetPrototype(pool.FindMessageTypeByName("runtime.v1." + name))


def main():
    socket, method = sys.argv[1:3]
    request_name, answer_name = METHODS[method]
    class_of = message_classes()
    request = json_format.Parse(sys.argv[3] if len(sys.argv) > 3 else "{}", class_of(request_name)())
    with grpc.insecure_channel("unix://" + socket) as channel:
        call = channel.unary_unary(
            "/runtime.v1.RuntimeService/" + method,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=class_of(answer_name).FromString,
        )
        try:
            answer = call(request, timeout=120)
        except grpc.RpcError as failure:
            sys.exit(f"{failure.code().name}: {failure.details()}")
    print(json_format.MessageToJson(answer, including_default_value_fields=True, preserving_proto_field_name=True, indent=None))


main()
