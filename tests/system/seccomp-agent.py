"""Plays the agent of SCMP_ACT_NOTIFY: listens on argv[1] and prints one JSON line per connection.

  python3 seccomp-agent.py PATH answer [ERRNO]   reads a connection to its end, then answers one notification with ERRNO (0: go on)
  python3 seccomp-agent.py PATH hang-up          accepts, and closes without reading
  python3 seccomp-agent.py PATH seqpacket|dgram  a socket of another type, for ever

A line: {"document": the text received, "messages": [descriptors of the 1st, 2nd, ... recvmsg], "pid": peer, "nr": of the call}.
The line is printed before the call is answered: the container still runs then.  It takes further connections until it is
killed."""
import array, fcntl, json, os, socket, struct, sys

NOTIF_RECV, NOTIF_SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV and _SEND: 80 and 24 bytes
CONTINUE = 1  # SECCOMP_USER_NOTIF_FLAG_CONTINUE

path, todo = sys.argv[1:3]
kind = {"seqpacket": socket.SOCK_SEQPACKET, "dgram": socket.SOCK_DGRAM}.get(todo, socket.SOCK_STREAM)
listener = socket.socket(socket.AF_UNIX, kind)
listener.bind(path)
if kind != socket.SOCK_DGRAM:
    listener.listen()
open(path + ".ready", "w").close()
if kind == socket.SOCK_DGRAM:
    listener.recv(65536)
while True:
    connection, _ = listener.accept()
    if todo == "hang-up":
        connection.close()
        continue
    pid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    text, messages, fds = b"", [], array.array("i")
    while True:
        data, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(16 * 4))
        if not data:
            break
        got = array.array("i")
        for level, what, content in ancillary:
            assert (level, what) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
            got.frombytes(content[: len(content) - len(content) % 4])
        messages.append(len(got))
        text += data
        fds += got
    connection.close()
    line = {"document": text.decode(), "messages": messages, "pid": pid, "nr": None}
    if fds:
        notification = bytearray(80)
        fcntl.ioctl(fds[0], NOTIF_RECV, notification)
        line["nr"] = struct.unpack_from("=i", notification, 16)[0]
        line["caller"] = struct.unpack_from("=I", notification, 8)[0]
    print(json.dumps(line), flush=True)
    if fds:
        number = int(sys.argv[3]) if len(sys.argv) > 3 else 0
        answer = bytearray(notification[:8]) + struct.pack("=qiI", 0, -number, 0 if number else CONTINUE)
        fcntl.ioctl(fds[0], NOTIF_SEND, answer)
        for fd in fds:
            os.close(fd)
