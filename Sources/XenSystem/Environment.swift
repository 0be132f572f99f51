#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A variable of this process's environment; nil where it is not set.
package func environment(_ name: String) -> String? {
    // Safe: the C string is copied at once, and nothing here changes the environment.
    unsafe getenv(name).map { unsafe String(cString: $0) }
}
