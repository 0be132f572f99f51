import XenCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// One of the program's two streams of text, unbuffered: what is shown is shown at once, whoever reads it.
package enum Terminal: Int32, Sendable {
    case output = 1
    case error = 2

    /// Whether somebody watches, rather than a file or a pipe.
    package var isInteractive: Bool { isatty(rawValue) == 1 }

    /// The characters that fit a line; nil when nobody watches.
    package var columnCount: Int? {
        var size = winsize()
        // Safe: the private structure that the call fills.
        guard unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return nil
        }
        return Int(size.ws_col)
    }

    /// Shows text as it is. What cannot be shown is lost.
    package func show(_ text: String) { try? put(Array(text.utf8)) }

    /// Writes all the bytes, for as long as the reader takes.
    package func put(_ bytes: [UInt8]) throws(SystemFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Safe: within the slice, which is private.
            let count = unsafe rest.withUnsafeBytes {
                unsafe write(rawValue, $0.baseAddress, $0.count)
            }
            guard count < 0 else {
                rest = rest.dropFirst(count)
                continue
            }
            let failure = SystemFailure("write")
            switch failure.errorNumber {
            case .interrupted: continue
            case .again: _ = try poll([(rawValue, .writable)], until: .after(.seconds(3600)))
            default: throw failure
            }
        }
    }

    /// Shows a line.
    package func line(_ text: String) { show(text + "\n") }
}
