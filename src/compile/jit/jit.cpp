#include "compile/jit/jit.h"

#include <fmt/format.h>
#include <llvm/Demangle/Demangle.h>
#include <llvm/ExecutionEngine/Orc/DebugObjectManagerPlugin.h>
#include <llvm/ExecutionEngine/Orc/EPCDebugObjectRegistrar.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/Object/ObjectFile.h>
#include <llvm/Object/SymbolSize.h>
#include <llvm/Support/TargetSelect.h>

#include <atomic>

#include "base/hash.h"
#include "compile/jit/clang_runner.h"
#include "compile/jit/kernel_headers.h"

namespace blueshift::compile {

namespace {

Error jitError(llvm::Error error) {
    return Error(sqlstate::kInternalError,
                 "generated code cannot be loaded: " + llvm::toString(std::move(error)));
}

/// A library of the session, removed when nobody holds the code any more.
class LoadedCode final : public MachineCode {
public:
    LoadedCode(std::shared_ptr<llvm::orc::LLJIT> jit, llvm::orc::JITDylib& library)
        : jit_(std::move(jit)), library_(library) {}
    ~LoadedCode() override {
        llvm::consumeError(jit_->getExecutionSession().removeJITDylib(library_));
    }

private:
    std::shared_ptr<llvm::orc::LLJIT> jit_;
    llvm::orc::JITDylib& library_;
};

/// The functions of an object, of which `function` was loaded at `address`.
std::vector<CodeSymbol> symbolsOf(llvm::MemoryBufferRef object, llvm::StringRef function,
                                  u64 address) {
    std::vector<CodeSymbol> found;
    auto file = llvm::object::ObjectFile::createObjectFile(object);
    if (!file) {
        llvm::consumeError(file.takeError());
        return found;
    }
    std::optional<u64> base;
    for (const auto& [symbol, bytes] : llvm::object::computeSymbolSizes(**file)) {
        auto name = symbol.getName();
        auto offset = symbol.getAddress();
        auto type = symbol.getType();
        const bool known = bool(name) && bool(offset) && bool(type);
        if (!known || *type != llvm::object::SymbolRef::ST_Function) {
            llvm::consumeError(name.takeError());
            llvm::consumeError(offset.takeError());
            llvm::consumeError(type.takeError());
            continue;
        }
        if (*name == function) base = address - *offset;
        found.push_back({llvm::demangle(*name), *offset, bytes});
    }
    if (!base) return {};
    for (CodeSymbol& symbol : found) symbol.address += *base;
    return found;
}

/// Debuggers learn of each object through GDB's interface for such code; without it they see
/// addresses only.
void addDebuggerSupport(llvm::orc::LLJIT& jit) {
    auto& session = jit.getExecutionSession();
    auto* layer = llvm::dyn_cast<llvm::orc::ObjectLinkingLayer>(&jit.getObjLinkingLayer());
    auto registrar = llvm::orc::createJITLoaderGDBRegistrar(session);
    if (layer == nullptr || !registrar) {
        llvm::consumeError(registrar.takeError());
        return;
    }
    layer->addPlugin(std::make_unique<llvm::orc::DebugObjectManagerPlugin>(
        session, std::move(*registrar), false, true));
}

} // namespace

struct Jit::Impl {
    ClangRunner clang;
    std::shared_ptr<llvm::orc::LLJIT> jit;
    std::optional<Error> broken;
    std::string target;
    std::atomic<u64> libraries{0};
};

Jit::Jit(std::span<const JitSymbol> symbols) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
    impl_ = std::make_unique<Impl>();
    u64 hash = 0;
    for (const KernelHeader& header : kernelHeaders())
        hash = hashBytes(header.text.data(), header.text.size(), hash);
    impl_->target = fmt::format("{} {:016x}", impl_->clang.cpu(), hash);
    auto made = llvm::orc::LLJITBuilder()
                    .setLinkProcessSymbolsByDefault(false)
                    .setPlatformSetUp(llvm::orc::setUpInactivePlatform)
                    .create();
    if (!made) {
        impl_->broken = jitError(made.takeError());
        return;
    }
    impl_->jit = std::move(*made);
    llvm::orc::SymbolMap map;
    for (const JitSymbol& symbol : symbols)
        map[impl_->jit->mangleAndIntern(symbol.name)] = {
            llvm::orc::ExecutorAddr::fromPtr(symbol.address),
            llvm::JITSymbolFlags::Exported | llvm::JITSymbolFlags::Callable};
    if (auto error =
            impl_->jit->getMainJITDylib().define(llvm::orc::absoluteSymbols(std::move(map))))
        impl_->broken = jitError(std::move(error));
    addDebuggerSupport(*impl_->jit);
}

Jit::~Jit() = default;

const std::string& Jit::target() const {
    return impl_->target;
}

Result<std::string> Jit::compileObject(const std::string& text, OptimizationLevel level) {
    return impl_->clang.compile(text, level);
}

Result<std::shared_ptr<const MachineCode>> Jit::load(const std::string& object,
                                                     const std::string& function) {
    if (impl_->broken) return std::unexpected(*impl_->broken);
    auto library = impl_->jit->createJITDylib(fmt::format("{}.{}", function, ++impl_->libraries));
    if (!library) return std::unexpected(jitError(library.takeError()));
    auto code = std::make_shared<LoadedCode>(impl_->jit, *library);
    library->addToLinkOrder(impl_->jit->getMainJITDylib());
    auto buffer = llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(object), function);
    if (auto error = impl_->jit->addObjectFile(*library, std::move(buffer)))
        return std::unexpected(jitError(std::move(error)));
    auto address = impl_->jit->lookup(*library, function);
    if (!address) return std::unexpected(jitError(address.takeError()));
    auto bytes = impl_->jit->lookup(*library, function + "_local_bytes");
    if (!bytes) return std::unexpected(jitError(bytes.takeError()));
    code->function = address->toPtr<MachineCode::Function>();
    code->local_bytes = *bytes->toPtr<const u32*>();
    code->symbols = symbolsOf({object, function}, function, address->getValue());
    return std::shared_ptr<const MachineCode>(std::move(code));
}

} // namespace blueshift::compile
