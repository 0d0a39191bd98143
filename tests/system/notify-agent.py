"""Plays the seccomp agent: listens on argv[1], takes container process states, answers argv[2] system calls of each process
with argv[3] and prints what it got, one JSON object per connection: {"state": DOCUMENT, "fds": N, "calls": N}.

argv[4]: how many connections to serve."""
import array, fcntl, json, os, socket, struct, sys

RECEIVE, SEND = 0xC0502100, 0xC0182101  # SECCOMP_IOCTL_NOTIF_RECV, _SEND

listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(sys.argv[1])
listener.listen()
listener.settimeout(20)
open(sys.argv[1] + ".ready", "w").close()
for _ in range(int(sys.argv[4])):
    connection, _ = listener.accept()
    connection.settimeout(20)
    text, fds = b"", array.array("i")
    while True:
        data, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(16 * 4))
        for level, kind, content in ancillary:
            fds.frombytes(content[: len(content) - len(content) % 4])
        if not data:
            break
        text += data
    calls = 0
    while calls < int(sys.argv[2]):
        notice = bytearray(80)
        fcntl.ioctl(fds[0], RECEIVE, notice)
        identity, = struct.unpack_from("Q", notice)
        fcntl.ioctl(fds[0], SEND, struct.pack("QqiI", identity, int(sys.argv[3]), 0, 0))
        calls += 1
    os.close(fds[0])
    print(json.dumps({"state": json.loads(text), "fds": len(fds), "calls": calls}), flush=True)
