"""Tell the press which of its files this Python opens, lists and imports.

Every Python whose path leads here imports this file at its start: the kernel
of a chapter, and each Python that it starts. It stays silent unless the press
has named a project and a file to write to. A line of that file is a tuple:

    ("file", PATH, STATE, WHO)     opened to be read
    ("wrote", PATH)                written, or moved here
    ("list", PATH)                 a folder whose names were read
    ("search", PATTERN)            files that were looked for by a pattern
    ("import", FOLDER, NAME)       a module that was looked for in a folder
    ("child", PROGRAM, FRAMES)     a program that cannot tell what it reads

Paths are relative to the project; those outside it are left out, and so is
what the press itself keeps there.
"""

import os
import stat
import sys

PROJECT, SEEN = "PRESS_PROJECT", "PRESS_SEEN"   # what the press sets
# At the top of a project: what is made there, not written.
MADE = (".cache", ".venv", ".git")
HERE = os.path.dirname(os.path.abspath(__file__))
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Whose looks into a folder are for modules and packages, which are told apart.
LOADERS = ("<frozen importlib._bootstrap_external>",
           os.path.join("importlib", "metadata", "__init__.py"))


class Project:
    """Which paths are of the project, and what they are called there."""

    def __init__(self, root):
        self.roots = {root, os.path.realpath(root)}
        self.folders = {}
        self.names = {}

    def below(self, folder):
        """A folder's path below the project; None for one outside."""
        if folder not in self.folders:
            self.folders[folder] = self.find(folder)
        return self.folders[folder]

    def find(self, folder):
        if folder == HERE or folder.startswith(HERE + os.sep):
            return None
        for place in (folder, os.path.realpath(folder)):
            for root in self.roots:
                if place == root:
                    return ""
                if place.startswith(root + os.sep):
                    return place[len(root) + 1:]
        return None

    def name_of(self, path):
        """A file's path below the project; None where it is not ours."""
        if isinstance(path, int) or path is None:
            return None
        path = os.fsdecode(path)
        if not os.path.isabs(path):
            path = os.path.join(os.getcwd(), path)
        if path not in self.names:
            self.names[path] = self.find_name(path)
        return self.names[path]

    def find_name(self, path):
        path = os.path.normpath(path)
        folder, name = os.path.split(path)
        below = self.below(folder)
        if below is None or path == HERE:
            return None
        found = os.path.join(below, name).replace(os.sep, "/")
        made = found.split("/")[0] in MADE or "__pycache__" in found
        return None if made else found

    def folder_of(self, path):
        """The same for a folder; the project itself is a dot."""
        path = os.getcwd() if path is None else path
        if isinstance(path, int):
            return None
        path = os.fsdecode(path)
        if self.below(os.path.abspath(path)) == "":
            return "."
        return self.name_of(path)


class Watch:
    """What is to be told, and where."""

    def __init__(self, root, seen):
        self.root, self.seen = root, seen
        self.project = Project(root)
        self.told = set()
        self.actions = {
            "open": self.opened, "os.listdir": self.looked_into,
            "os.scandir": self.looked_into, "import": self.imported,
            "os.rename": self.moved, "os.symlink": self.moved,
            "os.link": self.linked, "sqlite3.connect": self.connected,
            "ctypes.dlopen": self.connected, "os.exec": self.ran,
            "subprocess.Popen": self.started, "os.posix_spawn": self.ran,
            "os.system": self.asked, "os.startfile": self.asked,
            "glob.glob": self.searched, "pathlib.Path.glob": self.found,
            "pathlib.Path.rglob": self.found_below,
        }

    def hook(self):
        """What Python calls at each event: thousands, of which few count, so
        a plain function, three times as fast as a method."""
        find = self.actions.get

        def hook(event, arguments):
            action = find(event)
            if action is not None:
                try:
                    action(*arguments)
                except Exception:   # a watch breaks nothing that it watches
                    pass

        return hook

    def tell(self, *what):
        line = repr(what)
        if line in self.told:
            return
        self.told.add(line)
        out = os.open(self.seen, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(out, (line + "\n").encode("utf-8", "backslashreplace"))
        finally:
            os.close(out)

    # ------------------------------------------------------------ files

    def opened(self, path, mode, flags):
        name = self.project.name_of(path)
        if name is None:
            return
        if (flags or 0) & WRITES or mode and set(str(mode)) & set("wax+"):
            self.tell("wrote", name)
        else:
            self.tell("file", name, state_of(path), self.reader())

    def loaded(self, path, *_):
        self.opened(path, "rb", 0)

    def connected(self, path, *_):
        """To a database or a library, which may be in memory or known to
        the system by its name."""
        if os.path.exists(path):
            self.loaded(path)

    def moved(self, source, place, *_):
        name = self.project.name_of(place)
        if name is not None:
            self.tell("wrote", name)

    def linked(self, source, place, *_):
        self.loaded(source)
        self.moved(source, place)

    def looked_into(self, path=None, *_):
        if not sys._getframe(2).f_code.co_filename.endswith(LOADERS):
            folder = self.project.folder_of(path)
            if folder is not None:
                self.tell("list", folder)

    def searched(self, pattern, *_):
        """With a pattern, of which some names are only asked for."""
        parts = os.path.normpath(os.fsdecode(pattern)).split(os.sep)
        plain = 0
        while plain < len(parts) - 1 and not set(parts[plain]) & set("*?["):
            plain += 1
        folder = self.project.folder_of(os.sep.join(parts[:plain]) or (
            os.sep if parts[0] == "" else None))
        if folder is not None:
            self.tell("search", "/".join([folder, *parts[plain:]]))

    def found(self, folder, pattern):
        self.searched(os.path.join(folder, pattern))

    def found_below(self, folder, pattern):
        self.searched(os.path.join(folder, "**", pattern))

    def imported(self, module, file, path, *_):
        if file:    # of an extension
            self.loaded(file)
            return
        package, _, name = module.rpartition(".")
        if package:
            path = getattr(sys.modules.get(package), "__path__", None)
        for entry in path or ():
            folder = self.project.folder_of(entry or None)
            if folder is not None:
                self.tell("import", folder, name)

    # --------------------------------------------------------- programs

    def started(self, program, arguments, _, environment):
        program = os.fsdecode(program or arguments[0])
        words = [arguments] if isinstance(arguments, (str, bytes)) else [
            os.fsdecode(word) for word in arguments]
        if not (is_python(program, words) and self.passes(environment)):
            name = os.path.basename(program)
            shell = len(words) > 2 and words[1] == "-c" and "sh" in name
            self.tell("child", words[2] if shell else name, self.frames())

    def ran(self, path, arguments, environment):
        self.started(path, arguments, None, environment or None)

    def asked(self, command, *_):
        self.tell("child", os.fsdecode(command), self.frames())

    def passes(self, environment):
        """Whether this file is imported under an environment too."""
        given = os.environ if environment is None else as_mapping(environment)
        path = given.get("PYTHONPATH", "").split(os.pathsep)
        if (given.get(PROJECT), given.get(SEEN)) == (self.root, self.seen):
            return HERE in path
        return bool(given.get(PROJECT))   # a press that watches for itself

    # ----------------------------------------------------------- frames

    def frames(self):
        """The files and lines that led here, of the project and of cells,
        the innermost first."""
        found = []
        for frame in frames_above():
            file = frame.f_code.co_filename
            name = os.path.basename(file) if is_cell(file) else (
                self.project.name_of(file))
            if name is not None:
                found.append((name, frame.f_lineno))
        return tuple(found)

    def reader(self):
        """The press, where it reads the book for a chapter about it."""
        for frame in frames_above():
            module = frame.f_globals.get("__name__") or ""
            file = frame.f_code.co_filename
            if module.startswith("press."):
                return "press" if module.startswith("press.read.") else ""
            if is_cell(file) or self.project.name_of(file) is not None:
                return ""
        return ""


def frames_above():
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if file != __file__ and not file.startswith("<"):
            yield frame
        frame = frame.f_back


def is_cell(file):
    """Whether a kernel has compiled a cell under this name."""
    return os.path.basename(os.path.dirname(file)).startswith("ipykernel_")


def state_of(path):
    """What shows later whether a file was changed."""
    try:
        state = os.stat(path)
    except OSError:
        return None
    if stat.S_ISDIR(state.st_mode):
        return ()
    return state.st_size, state.st_mtime_ns


def as_mapping(environment):
    pairs = environment.items() if hasattr(environment, "items") else (
        os.fsdecode(pair).split("=", 1) for pair in environment)
    return {os.fsdecode(name): os.fsdecode(value) for name, value in pairs}


def is_python(program, words):
    """Whether a program is a Python, and one that looks for this file."""
    name = os.path.basename(program).lower()
    name = name[:-4] if name.endswith(".exe") else name
    if name.rstrip("0123456789.") != "python":
        return False
    rest = iter(words[1:])
    for word in rest:
        if not word.startswith("-") or word.startswith("--"):
            return True
        if word in ("-X", "-W"):
            next(rest, None)
        elif word[1] not in "XW":
            letters, *code = word[1:].replace("m", "c").split("c", 1)
            if set(letters) & set("IES"):
                return False
            if code:
                return True
    return True


def forget_bytecode(project):
    """Read the project's modules from their sources: bytecode passes for
    new where a source was changed twice in a second."""
    from importlib import _bootstrap_external as machinery
    usual = machinery.cache_from_source

    def cache_from_source(path, *rest, **options):
        if project.name_of(path) is not None:
            raise NotImplementedError
        return usual(path, *rest, **options)

    machinery.cache_from_source = cache_from_source


if os.environ.get(PROJECT) and os.environ.get(SEEN):
    watch = Watch(os.environ[PROJECT], os.environ[SEEN])
    sys.addaudithook(watch.hook())
    forget_bytecode(watch.project)
