"""Plays the service manager's side of NOTIFY_SOCKET: listens on argv[1] ("@name": abstract) and prints each message as one JSON
line: {"pid": sender, "lines": [...], "fds": N}.  Ends after argv[2] seconds."""
import json, os, signal, socket, struct, sys

signal.alarm(int(sys.argv[2]))
signal.signal(signal.SIGALRM, lambda *_: sys.exit(0))
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
address = sys.argv[1]
if address[0] == "@":
    listener.bind("\0" + address[1:])
else:
    directory, name = os.path.split(address)
    os.chdir(directory)  # the path may be longer than sun_path
    listener.bind(name)
print("listening", flush=True)
while True:
    data, ancillary, _, _ = listener.recvmsg(65536, socket.CMSG_SPACE(64))
    sender, fds = None, []
    for level, kind, content in ancillary:
        if kind == socket.SCM_CREDENTIALS:
            sender, _, _ = struct.unpack("iII", content)
        else:
            fds += struct.unpack("%di" % (len(content) // 4), content)
    print(json.dumps({"pid": sender, "lines": data.decode().split("\n"), "fds": len(fds)}), flush=True)
    for fd in fds:
        os.close(fd)
