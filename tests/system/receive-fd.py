"""Plays the engine's side of --console-socket: listens on argv[1], receives one terminal, then does what argv[2] says.

  size        prints ROWSxCOLUMNS
  relay       copies what the terminal says to standard output until it is closed
  send TEXT   types TEXT, then relays
  resize R C  sets the size once "ready" was read, then relays
It prints the received messages' data length and descriptor count first, as "message N M"."""
import array, fcntl, os, socket, struct, sys, termios

listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
directory, name = os.path.split(sys.argv[1])
os.chdir(directory)  # the path may be longer than sun_path
listener.bind(name)
listener.listen()
open(name + ".ready", "w").close()
listener.settimeout(20)
connection, _ = listener.accept()
connection.settimeout(20)
data, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(16 * 4))
fds = array.array("i")
for level, kind, content in ancillary:
    assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
    fds.frombytes(content[: len(content) - len(content) % 4])
print("message", len(data), len(fds), flush=True)
terminal = fds[0]
todo = sys.argv[2]
if todo == "size":
    rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(terminal, termios.TIOCGWINSZ, b"\0" * 8))
    print(f"{rows}x{columns}", flush=True)
if todo == "send":
    os.write(terminal, sys.argv[3].encode())
seen = b""
while True:
    try:
        block = os.read(terminal, 65536)
    except OSError:  # EIO: the other side is closed
        break
    if not block:
        break
    seen += block
    sys.stdout.buffer.write(block)
    sys.stdout.buffer.flush()
    if todo == "resize" and b"ready" in seen:
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", int(sys.argv[3]), int(sys.argv[4]), 0, 0))
        todo = "relay"
