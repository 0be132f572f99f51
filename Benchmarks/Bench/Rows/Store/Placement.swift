/// Where a server and whoever asks it run.
enum Placement {
    /// Both on one: the time of a request does not depend on where the kernel puts them.
    case oneProcessor
    /// Where the kernel likes, so that one can work while the other does.
    case anyProcessor

    /// Puts this thread there, and all that it starts meanwhile.
    func during<Result>(_ body: () throws -> Result) rethrows -> Result {
        guard self == .oneProcessor else { return try body() }
        let processors = Processors.ofThisThread()
        processors?.only(0).take()
        defer { processors?.take() }
        return try body()
    }
}
