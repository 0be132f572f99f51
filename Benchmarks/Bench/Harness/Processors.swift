import CSystem

/// The processors on which a thread may run.
struct Processors {
    private var set = cpu_set_t()

    /// Those of this thread. Nil where the system does not tell.
    static func ofThisThread() -> Processors? {
        var processors = Processors()
        // Safe: the kernel fills a private set of the size that it expects.
        return unsafe csystem_get_processors(&processors.set) == 0 ? processors : nil
    }

    /// Lets this thread run on these alone.
    func take() {
        // Safe: the kernel reads a private set of the size that it expects.
        unsafe withUnsafePointer(to: set) { _ = unsafe csystem_set_processors($0) }
    }

    /// One of these: the first, the second and so on. All of them where there are fewer.
    func only(_ index: Int) -> Processors {
        let numbers = members
        return numbers.count > index ? Processors(numbers[index]) : self
    }

    private init() {}

    private init(_ number: Int) {
        // Safe: a view of a private value's bytes, for this call; the number comes from another set.
        unsafe withUnsafeMutableBytes(of: &set) { bytes in
            unsafe bytes[number / 8] |= 1 << (number % 8)
        }
    }

    private var members: [Int] {
        // Safe: a view of a private value's bytes, for this call.
        unsafe withUnsafeBytes(of: set) { bytes in
            (0..<bytes.count * 8).filter { unsafe bytes[$0 / 8] & (1 << ($0 % 8)) != 0 }
        }
    }
}
