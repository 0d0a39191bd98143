# Every sentence of the runtime that the suite insists on, in one place.  Those of the first block are matched by
# engines, and may not change; the second block is ours to improve.

M_NO_CONTAINER="does not exist"                                   # + the id
M_EXISTS="container with given ID already exists"
M_NOT_RUNNING="container not running"
M_DELETE_RUNNING="that is not stopped: running"                  # "cannot delete container ID " in front
M_EXEC_STOPPED="cannot exec in a stopped container"
M_EXEC_PAUSED="cannot exec in a paused container"
M_START_RUNNING="cannot start an already running container"
M_START_STOPPED="cannot start a container that has stopped"
M_ARGV0_IN_PATH='not found in $PATH: No such file or directory'  # "executable file `NAME` " in front
M_ENOENT="No such file or directory"
M_EACCES="ermission denied"                                       # any case of the first letter
M_DOCKER_SEARCH="executable file not found"                       # these three in lower case: what Docker's client looks for
M_DOCKER_ENOENT="no such file or directory"
M_DOCKER_EACCES="permission denied"
M_EXEC_FORMAT="xec format error"
M_CWD="chdir to"                                                  # + "`/X`: No such file or directory"

M_NO_CONFIG="config.json"
M_BAD_ID="id"
