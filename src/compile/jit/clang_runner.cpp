#include "compile/jit/clang_runner.h"

#include <clang/Basic/TargetInfo.h>
#include <clang/CodeGen/ModuleBuilder.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/FrontendActions.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <clang/Serialization/ASTWriter.h>
#include <clang/Serialization/PCHContainerOperations.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/VirtualFileSystem.h>
#include <llvm/TargetParser/Host.h>

#include <algorithm>

#include "compile/jit/kernel_headers.h"

namespace blueshift::compile {

namespace {

/// The largest texts take less than one.
constexpr std::chrono::seconds kMostSeconds{60};

constexpr const char* kRoot = "/blueshift/";
constexpr const char* kText = "/blueshift/pipeline.cpp";
constexpr const char* kHeader = "/blueshift/headers.h";
constexpr const char* kPrecompiled = "/blueshift/headers.pch";

/// Writes the precompiled header into memory instead of a file.
class PrecompileAction final : public clang::ASTFrontendAction {
public:
    explicit PrecompileAction(std::string& out) : out_(out) {}

protected:
    std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& compiler,
                                                          llvm::StringRef) override {
        buffer_ = std::make_shared<clang::PCHBuffer>();
        return std::make_unique<clang::PCHGenerator>(
            compiler.getPreprocessor(), compiler.getModuleCache(), "", "", buffer_,
            llvm::ArrayRef<std::shared_ptr<clang::ModuleFileExtension>>());
    }
    clang::TranslationUnitKind getTranslationUnitKind() override { return clang::TU_Prefix; }
    void EndSourceFileAction() override { out_.assign(buffer_->Data.begin(), buffer_->Data.end()); }

private:
    std::string& out_;
    std::shared_ptr<clang::PCHBuffer> buffer_;
};

/// Makes the text's module; Clang's own way to one would set up a machine and passes beside ours.
class ModuleAction final : public clang::ASTFrontendAction {
public:
    explicit ModuleAction(llvm::LLVMContext& context) : context_(context) {}

    std::unique_ptr<llvm::Module> takeModule() { return std::move(module_); }

protected:
    std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& compiler,
                                                          llvm::StringRef name) override {
        generator_ = clang::CreateLLVMCodeGen(
            compiler.getDiagnostics(), name, &compiler.getVirtualFileSystem(),
            compiler.getHeaderSearchOpts(), compiler.getPreprocessorOpts(),
            compiler.getCodeGenOpts(), context_);
        return std::unique_ptr<clang::ASTConsumer>(generator_);
    }
    void EndSourceFileAction() override {
        if (!getCompilerInstance().getDiagnostics().hasErrorOccurred())
            module_.reset(generator_->ReleaseModule());
    }

private:
    llvm::LLVMContext& context_;
    clang::CodeGenerator* generator_ = nullptr; // the consumer's
    std::unique_ptr<llvm::Module> module_;
};

/// One run of Clang; the only files it sees are those in memory.
bool runClang(const std::vector<std::string>& arguments, const std::string& text,
              const std::string& precompiled, clang::FrontendAction& action,
              std::string& messages) {
    auto files = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
    for (const KernelHeader& header : kernelHeaders())
        files->addFile(kRoot + std::string(header.name), 0,
                       llvm::MemoryBuffer::getMemBuffer(
                           llvm::StringRef(header.text.data(), header.text.size()), "", false));
    files->addFile(kHeader, 0,
                   llvm::MemoryBuffer::getMemBuffer("#include \"kernels/pipeline.h\"\n"));
    files->addFile(kText, 0, llvm::MemoryBuffer::getMemBuffer(text));
    if (!precompiled.empty())
        files->addFile(kPrecompiled, 0, llvm::MemoryBuffer::getMemBuffer(precompiled, "", false));
    std::vector<const char*> pointers;
    for (const auto& argument : arguments) pointers.push_back(argument.c_str());
    llvm::raw_string_ostream stream(messages);
    clang::CompilerInstance compiler;
    auto options = llvm::makeIntrusiveRefCnt<clang::DiagnosticOptions>();
    options->IgnoreWarnings = true; // Clang would count them on the server's standard error
    compiler.createDiagnostics(new clang::TextDiagnosticPrinter(stream, options.get()), true);
    auto invocation = std::make_shared<clang::CompilerInvocation>();
    if (!clang::CompilerInvocation::CreateFromArgs(*invocation, pointers,
                                                   compiler.getDiagnostics()))
        return false;
    compiler.setInvocation(invocation);
    compiler.createFileManager(files);
    return compiler.ExecuteAction(action);
}

Error compilerError(const std::string& what, const std::string& messages) {
    return Error(sqlstate::kInternalError, "the C++ compiler " + what).withDetail(messages);
}

} // namespace

ClangRunner::ClangRunner() : cpu_(llvm::sys::getHostCPUName().str()) {
    for (const auto& feature : llvm::sys::getHostCPUFeatures())
        features_.push_back((feature.second ? "+" : "-") + feature.first().str());
    std::sort(features_.begin(), features_.end());
    std::string joined;
    for (const auto& feature : features_) joined += (joined.empty() ? "" : ",") + feature;
    emitter_ = std::make_shared<ObjectEmitter>(cpu_, joined);
    GuardedCall::enable();
}

std::vector<std::string> ClangRunner::arguments(OptimizationLevel level) const {
    // cc1's arguments: the driver's defaults are absent, hence the CPU.
    std::vector<std::string> list{"-triple",
                                  "x86_64-pc-linux-gnu",
                                  "-x",
                                  "c++",
                                  "-std=c++23",
                                  "-nostdsysteminc",
                                  "-nobuiltininc",
                                  "-nostdinc++",
                                  "-ffreestanding",
                                  "-fgnuc-version=4.2.1",
                                  "-fno-rtti",
                                  "-fno-threadsafe-statics",
                                  "-mrelocation-model",
                                  "pic",
                                  "-pic-level",
                                  "2",
                                  "-mframe-pointer=none",
                                  "-disable-llvm-verifier",
                                  "-disable-lifetime-markers",
                                  "-relaxed-aliasing",
                                  "-I/blueshift",
                                  "-target-cpu",
                                  cpu_};
    list.push_back(level == OptimizationLevel::kO1 ? "-O1" : "-O2");
    for (const auto& feature : features_) list.insert(list.end(), {"-target-feature", feature});
    return list;
}

/// Of one run; shared with a thread that may never end.
struct ClangRunner::Run {
    std::vector<std::string> arguments;
    std::string text;
    std::shared_ptr<const std::string> header;
    llvm::SmallVector<char, 0> object;
    std::string messages;
    bool done = false;
};

Status ClangRunner::guarded(const std::shared_ptr<Run>& run, std::function<void()> body) {
    switch (guard_.run(std::move(body), kMostSeconds)) {
    case GuardedCall::End::kReturned:
        if (run->done) return {};
        return failure(compilerError("refused generated code", run->messages));
    case GuardedCall::End::kCrashed:
        return failure(compilerError("crashed on generated code", run->messages));
    default:
        return failure(compilerError("does not end; queries are interpreted from now on", "")
                           .withHint("Restart the server to have code generated again."));
    }
}

Result<std::shared_ptr<const std::string>> ClangRunner::precompile(OptimizationLevel level) {
    auto run = std::make_shared<Run>();
    run->arguments = arguments(level);
    for (auto& argument : run->arguments)
        if (argument == "c++") argument = "c++-header";
    run->arguments.insert(run->arguments.end(), {"-emit-pch", kHeader});
    auto bytes = std::make_shared<std::string>();
    BS_TRY(guarded(run, [run, bytes] {
        PrecompileAction action(*bytes);
        run->done = runClang(run->arguments, "", "", action, run->messages);
    }));
    return bytes;
}

Result<std::string> ClangRunner::compile(const std::string& text, OptimizationLevel level) {
    auto& header = headers_[size_t(level)];
    if (header == nullptr) {
        auto made = precompile(level);
        if (!made) return std::unexpected(made.error());
        header = std::move(*made);
    }
    auto run = std::make_shared<Run>();
    run->arguments = arguments(level);
    run->arguments.insert(run->arguments.end(), {"-include-pch", kPrecompiled, kText});
    run->text = text;
    run->header = header;
    BS_TRY(guarded(run, [run, emitter = emitter_, level] {
        llvm::LLVMContext context;
        ModuleAction action(context);
        if (!runClang(run->arguments, run->text, *run->header, action, run->messages)) return;
        const auto module = action.takeModule();
        run->done = emitter->emit(*module, level, run->object, run->messages);
    }));
    return std::string(run->object.data(), run->object.size());
}

} // namespace blueshift::compile
