"""tests/stress/stress.py: what the stress tests have in common: workers with a seed, a watch over each command, a look at what is left."""
import ctypes, json, os, random, select, shutil, signal, subprocess, sys, tempfile, threading, time, traceback

HERE = os.path.dirname(os.path.realpath(__file__))
SUBREAPER = 36
PATIENCE = float(os.environ.get("STRESS_PATIENCE", "60"))


class Wrong(Exception):
    """Something that must not be."""


class Hang(Wrong):
    """Something that did not come."""


def wait_readable(fd, seconds):
    select.select([fd], [], [], seconds)


def first_difference(got, wanted):
    for at, (left, right) in enumerate(zip(got, wanted)):
        if left != right:
            return ", the first wrong one at %d: %r" % (at, got[max(0, at - 20):at + 20])
    return ", right as far as they go"


def text_of(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError as gone:
        return "(%s)" % gone.strerror


def show_processes(word):
    """Every process that has the word in its command line, and its descendants: where it waits, in what state, with what open."""
    table = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        stat = text_of("/proc/%s/stat" % entry)
        if ")" in stat:
            table[int(entry)] = int(stat.rsplit(")", 1)[1].split()[1])
    ours = {pid for pid in table if word in text_of("/proc/%d/cmdline" % pid)}
    while True:
        more = {pid for pid, parent in table.items() if parent in ours} - ours
        if not more:
            break
        ours |= more
    for pid in sorted(ours - {os.getpid()}):
        place = "/proc/%d/" % pid
        status = [line for line in text_of(place + "status").splitlines() if line.split(":")[0] in
                  ("Name", "State", "PPid", "NSpid", "SigPnd", "ShdPnd", "SigBlk")]
        print("--- %d: %s\n%s\nwchan %s, system call %s%s" % (
            pid, text_of(place + "cmdline").replace("\0", " "), " ".join(status).replace("\t", " "), text_of(place + "wchan"),
            text_of(place + "syscall"), text_of(place + "stack")), file=sys.stderr)
        try:
            for fd in os.listdir(place + "fd"):
                print("    %s -> %s" % (fd, os.readlink(place + "fd/" + fd)), file=sys.stderr)
        except OSError:
            pass


class Watch:
    """Over one command: nothing may take longer than the patience."""

    def __init__(self, patience=PATIENCE):
        self.patience, self.end, self.process, self.what = patience, time.monotonic() + patience, None, ""

    def about(self, process, what):
        self.process, self.what = process, what

    def check(self):
        if time.monotonic() > self.end:
            raise Hang("%s: hangs" % self.what)

    def status(self, meanwhile=None):
        """The exit status; `meanwhile` is called every second."""
        while True:
            try:
                return self.process.wait(1)
            except subprocess.TimeoutExpired as late:
                if time.monotonic() > self.end:
                    raise Hang("%s: the runtime does not end" % self.what) from late
                if meanwhile is not None:
                    meanwhile()


class Session:
    """One run of a stress test: its place, its seed, its counts."""

    def __init__(self, place):
        self.place, self.state = place, os.path.join(place, "state")
        self.name = "stress-%d" % os.getpid()
        self.seed = int(os.environ.get("STRESS_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
        self.lock, self.failed, self.counts, self.next_round = threading.Lock(), threading.Event(), {}, 0
        # A snapshot, so that a rebuild cannot change the runtime under our feet.
        self.runtime = shutil.copy(os.environ["CRUN_LITE"], os.path.join(place, "crun-lite"))
        os.mkdir(self.state)
        os.mkdir("/sys/fs/cgroup/" + self.name)

    def take_round(self, rounds):
        with self.lock:
            self.next_round += 1
            return None if self.failed.is_set() or self.next_round > rounds else self.next_round

    def left(self):
        """What a test that has ended must not leave."""
        found = ["state of " + name for name in os.listdir(self.state)]
        for directory, below, _ in os.walk("/sys/fs/cgroup/" + self.name):
            found += ["cgroup " + os.path.join(directory, name) for name in below]
        found += ["mount " + line for line in text_of("/proc/self/mountinfo").splitlines() if self.place in line]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                if os.readlink("/proc/%s/exe" % pid).startswith(self.place) or self.state in text_of("/proc/%s/cmdline" % pid):
                    found.append("process %s %s" % (pid, text_of("/proc/%s/cmdline" % pid).replace("\0", " ")))
            except OSError:
                pass
        return found


class Worker:
    def __init__(self, number, session):
        self.number, self.session = number, session
        self.place = os.path.join(session.place, "worker-%d" % number)
        os.mkdir(self.place)
        with open(os.path.join(HERE, "..", "system", "base.config.json")) as file:
            self.base = file.read()

    def id(self, name):
        return "%s-%d-%s" % (self.session.name, self.number, name)

    def bundle(self, name):
        place = os.path.join(self.place, name)
        for directory in ("proc", "dev", "sys", "tmp", "bin", "etc"):
            os.makedirs(os.path.join(place, "rootfs", directory))
        shutil.copy(os.environ["PROBE"], os.path.join(place, "rootfs", "probe"))
        return place

    def configuration(self, name, args):
        configuration = json.loads(self.base)
        configuration["process"]["args"] = args
        configuration["linux"]["cgroupsPath"] = "/%s/%s" % (self.session.name, self.id(name))
        return configuration

    def write(self, bundle, configuration):
        with open(os.path.join(bundle, "config.json"), "w") as file:
            json.dump(configuration, file)

    def runtime(self, *words):
        return [self.session.runtime, "--root", self.session.state, *words]

    def outcome(self, words, killed_after=None, meanwhile=None):
        """The exit status and what was said; not through pipes, which the container's processes would keep open."""
        with tempfile.TemporaryFile() as said:
            watch = Watch()
            process = subprocess.Popen(self.runtime(*words), stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=self.place)
            watch.about(process, " ".join(words))
            if killed_after is not None:
                time.sleep(killed_after)
                process.kill()
            code = watch.status(meanwhile)
            said.seek(0)
            return code, said.read().decode(errors="replace")

    def run(self, words):
        code, said = self.outcome(words)
        if code != 0:
            raise Wrong("%s: exit %d: %s" % (" ".join(words), code, said))

    def count(self, what):
        with self.session.lock:
            self.session.counts[what] = self.session.counts.get(what, 0) + 1

    def loop(self, rounds):
        number = 0
        try:
            while (number := self.session.take_round(rounds)) is not None:
                # Of the number of the round alone: which worker takes it is chance.
                self.round(random.Random(self.session.seed * 1000003 + number))
        except Hang as hang:
            with self.session.lock:
                self.session.failed.set()
                print("round %d: %s" % (number, hang), file=sys.stderr)
                show_processes(self.session.state)
        except Wrong as wrong:
            self.session.failed.set()
            print("round %d: %s" % (number, wrong), file=sys.stderr)
        except Exception:  # a fault of the test is no pass
            self.session.failed.set()
            traceback.print_exc()


def load(processes):
    """Keeps the processors busy, so that whoever waits for another does not find it ready."""
    return [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(processes)]


def tidy(session):
    for name in os.listdir(session.state):
        subprocess.run([session.runtime, "--root", session.state, "delete", "--force", name], check=False, timeout=PATIENCE)


def work(kind, rounds, workers, place):
    session = Session(place)
    print("seed %d, %d rounds, %d workers" % (session.seed, rounds, workers), flush=True)
    begun, busy = time.monotonic(), load(int(os.environ.get("STRESS_LOAD", "2")))
    try:
        threads = [threading.Thread(target=kind(number, session).loop, args=(rounds,), daemon=True) for number in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        for process in busy:
            process.kill()
            process.wait()
    tidy(session)
    end = time.monotonic() + 10
    while (left := session.left()) and time.monotonic() < end:
        time.sleep(0.1)
    for what in left:
        print("left over: " + what, file=sys.stderr)
    if not left:
        os.rmdir("/sys/fs/cgroup/" + session.name)
    seconds = time.monotonic() - begun
    print("%s: %s in %.0f s: %s" % (os.path.basename(sys.argv[0]), "FAILED" if session.failed.is_set() or left else "passed", seconds,
                                    ", ".join("%d %s" % (count, what) for what, count in sorted(session.counts.items()))), flush=True)
    return 1 if session.failed.is_set() or left else 0


def main(kind, rounds, workers):
    """The parent collects the orphans, as an engine does; the child works."""
    place = tempfile.mkdtemp(prefix="crun-lite-stress-")
    os.chmod(place, 0o755)
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if child == 0:
        os._exit(work(kind, rounds, workers, place))
    status = None
    try:
        while status is None:
            pid, ended = os.wait()
            if pid == child:
                status = os.waitstatus_to_exitcode(ended)
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
        status = 130
    shutil.rmtree(place, ignore_errors=True)
    return status
