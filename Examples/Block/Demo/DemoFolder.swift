import Glibc
import Synchronization
import XenSystem

/// This run's own files, in a folder of its own, which goes with it, also when it is interrupted.
final class DemoFolder: Sendable {
    private let path: String
    let image: String
    let copy: String

    /// Makes the folder, and those above it.
    init(below parent: String) throws {
        path = parent + "/run-\(getpid())"
        image = path + "/random.img"
        copy = path + "/copy.img"
        // Whoever reads our output may go before we have cleaned up.
        _ = signal(SIGPIPE, SIG_IGN)
        // Before there is anything to remove.
        try TerminationSignals.onFirst { [self] in
            Self.interruption.store(true, ordering: .sequentiallyConsistent)
            remove()
            exit(130)
        }
        var part = path.hasPrefix("/") ? "" : "."
        for name in path.split(separator: "/") {
            part += "/" + name
            guard unsafe mkdir(part, 0o755) == 0 || errno == EEXIST else {
                throw SystemFailure("cannot make the folder \(part)")
            }
        }
    }

    private static let interruption = Atomic(false)

    /// Whether the process is about to end: what fails now fails because its files are being removed.
    static var isInterrupted: Bool { interruption.load(ordering: .sequentiallyConsistent) }

    /// Removes all of it, also a file that is being made at this moment.
    func remove() {
        for _ in 0..<10 {
            for file in [image, copy] {
                _ = unsafe unlink(file)
                _ = unsafe unlink(file + ".part")
            }
            if unsafe rmdir(path) == 0 || errno != ENOTEMPTY { return }
        }
    }
}
