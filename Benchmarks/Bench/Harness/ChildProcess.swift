import CStoreLoad
import Foundation
import XenSystem

/// Another process that a benchmark needs, which ends with this object, and with this process whatever ends it.
final class ChildProcess {
    let identifier: pid_t
    /// After which the number may be another process's.
    private var isReaped = false

    /// Starts a program with the processors of this thread.
    ///
    /// - Parameters:
    ///   - arguments: without the program's own name.
    ///   - environment: added to our own.
    ///   - input: its standard input, or nothing; as `output`, still ours to close.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:],
        input: Int32 = -1, output: Int32 = -1
    ) throws {
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let arguments = unsafe CStrings([program] + arguments)
        let settings = unsafe CStrings(variables.map { "\($0)=\($1)" })
        // Safe: both lists end with nil and live until the call is over.
        identifier = unsafe cstore_spawn(
            program, arguments.pointers, settings.pointers, input, output)
        guard identifier > 0 else { throw SystemFailure("fork") }
    }

    deinit {
        guard !isReaped else { return }
        _ = kill(identifier, SIGKILL)
        _ = waitpid(identifier, nil, 0)
    }

    /// Whether it has not ended.
    var isRunning: Bool {
        if !isReaped { isReaped = waitpid(identifier, nil, WNOHANG) == identifier }
        return !isReaped
    }
}

/// A list of C strings that ends with nil.
@unsafe
private final class CStrings {
    /// Invariant: allocated here, each but the last by strdup(3), and freed when this object goes.
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        unsafe count = texts.count
        unsafe pointers = .allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() {
            unsafe pointers.advanced(by: index).initialize(to: strdup(text))
        }
        unsafe pointers.advanced(by: texts.count).initialize(to: nil)
    }

    deinit {
        for index in unsafe 0..<count { unsafe free(pointers[index]) }
        unsafe pointers.deallocate()
    }
}
