import ArgumentParser

/// Tools for rings.
@main
struct XenRing: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "xen-ring",
        abstract: "Explains the rings through which Xen's domains talk.",
        subcommands: [Inspect.self])
}
