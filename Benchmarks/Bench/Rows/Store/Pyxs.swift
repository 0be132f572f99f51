import Foundation

/// A client in Python, where this machine has it or PyPI gives it.
enum Pyxs {
    static let python = "/usr/bin/env"

    /// Whether Python finds it; tries once to get it for the benchmarks alone.
    static func isThere() -> Bool { finds() || (install() && finds()) }

    /// What to run Python with.
    static func arguments(_ request: StoreRequest) -> [String] {
        ["PYTHONPATH=\(folder)", "python3", "-c", program, "\(request)"]
    }

    private static let folder = ".build/bench/python"

    private static func finds() -> Bool {
        succeeds(["PYTHONPATH=\(folder)", "python3", "-c", "import pyxs"])
    }

    private static func install() -> Bool {
        succeeds(
            ["python3", "-m", "pip", "install", "--quiet", "--no-deps", "--retries", "0"]
                + ["--timeout", "5", "--target", folder, "pyxs == 0.4.1"])
    }

    private static func succeeds(_ arguments: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// As `askAsked`: the lines of its input say how many requests, those of its output what they took and read.
    private static let program = """
        import os, sys, time, pyxs
        client = pyxs.Client(unix_socket_path=os.environ["XENSTORED_PATH"])
        client.connect()
        paths = [b"/bench/00/%02d/%02d" % divmod(node, 100) for node in range(1000)]
        values = [b"%08d" % node for node in range(1000)]
        def read(node): return sum(client.read(paths[node]))
        def write(node):
            client.write(paths[node], values[node])
            return 0
        def transaction(node):
            client.transaction()
            found = read(node)
            write(node)
            client.commit()
            return found
        ask = {"read": read, "write": write, "transaction": transaction}[sys.argv[1]]
        for line in sys.stdin:
            count = total = int(line)
            start = time.perf_counter_ns()
            for item in range(count): total += ask(item * 7919 % 1000)
            print(time.perf_counter_ns() - start, total, flush=True)
        """
}
