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

    /// Shows text as it is.
    package func show(_ text: String) {
        let bytes = Array(text.utf8)
        // Safe: within the array, which is private.
        _ = unsafe bytes.withUnsafeBytes { unsafe write(rawValue, $0.baseAddress, $0.count) }
    }

    /// Shows a line.
    package func line(_ text: String) { show(text + "\n") }
}
