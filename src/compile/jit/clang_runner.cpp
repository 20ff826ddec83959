#include "compile/jit/clang_runner.h"

#include <clang/Basic/LangOptions.h>
#include <clang/Basic/TargetInfo.h>
#include <clang/CodeGen/ModuleBuilder.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/FrontendActions.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <clang/Lex/PreprocessorOptions.h>
#include <clang/Parse/ParseAST.h>
#include <clang/Sema/Sema.h>
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

/// A compiler whose only files are those in memory; its arguments have been read before.
class MemoryCompiler {
public:
    MemoryCompiler(const clang::CompilerInvocation& invocation, const std::string& text,
                   const std::string& precompiled, std::string& messages)
        : stream_(messages) {
        auto files = llvm::makeIntrusiveRefCnt<llvm::vfs::InMemoryFileSystem>();
        for (const KernelHeader& header : kernelHeaders())
            files->addFile(kRoot + std::string(header.name), 0,
                           llvm::MemoryBuffer::getMemBuffer(
                               llvm::StringRef(header.text.data(), header.text.size()), "", false));
        files->addFile(kHeader, 0,
                       llvm::MemoryBuffer::getMemBuffer("#include \"kernels/pipeline.h\"\n"));
        files->addFile(kText, 0, llvm::MemoryBuffer::getMemBuffer(text));
        if (!precompiled.empty())
            files->addFile(kPrecompiled, 0,
                           llvm::MemoryBuffer::getMemBuffer(precompiled, "", false));
        auto options = llvm::makeIntrusiveRefCnt<clang::DiagnosticOptions>();
        options->IgnoreWarnings = true; // Clang would count them on the server's standard error
        clang_.createDiagnostics(new clang::TextDiagnosticPrinter(stream_, options.get()), true);
        clang_.setInvocation(std::make_shared<clang::CompilerInvocation>(invocation));
        clang_.createFileManager(files);
    }

    /// The precompiled header; empty after an error.
    std::string precompile() {
        std::string bytes;
        PrecompileAction action(bytes);
        if (!clang_.ExecuteAction(action)) bytes.clear();
        return bytes;
    }

    /// The text's module; nullptr after an error. What Clang does before it parses, without what a
    /// precompiled header makes idle: entering thousands of builtins, of which the header knows
    /// those that it has, takes a third of the fixed cost (5 of 16 million instructions).
    std::unique_ptr<llvm::Module> module(llvm::LLVMContext& context) {
        if (!clang_.createTarget()) return nullptr;
        clang_.createSourceManager(clang_.getFileManager());
        if (!clang_.InitializeSourceManager(
                clang::FrontendInputFile(kText, clang::InputKind(clang::Language::CXX))))
            return nullptr;
        clang_.createPreprocessor(clang::TU_Complete);
        clang::DiagnosticConsumer& printer = clang_.getDiagnosticClient();
        printer.BeginSourceFile(clang_.getLangOpts(), &clang_.getPreprocessor());
        auto* const generator =
            clang::CreateLLVMCodeGen(clang_.getDiagnostics(), kText, &clang_.getVirtualFileSystem(),
                                     clang_.getHeaderSearchOpts(), clang_.getPreprocessorOpts(),
                                     clang_.getCodeGenOpts(), context);
        clang_.createASTContext();
        clang_.createPCHExternalASTSource(kPrecompiled, clang::DisableValidationForModuleKind::None,
                                          false, nullptr, false);
        clang_.setASTConsumer(std::unique_ptr<clang::ASTConsumer>(generator));
        clang_.createSema(clang::TU_Complete, nullptr);
        clang::ParseAST(clang_.getSema());
        printer.EndSourceFile();
        if (clang_.getDiagnostics().hasErrorOccurred()) return nullptr;
        return std::unique_ptr<llvm::Module>(generator->ReleaseModule());
    }

private:
    llvm::raw_string_ostream stream_;
    clang::CompilerInstance clang_;
};

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

/// What of Clang's work is the same for every text.
struct ClangRunner::Prepared {
    clang::CompilerInvocation invocation;
    std::string header;
};

/// Of one run; shared with a thread that may never end.
struct ClangRunner::Run {
    std::vector<std::string> arguments;
    std::shared_ptr<Prepared> prepared;
    std::string text;
    llvm::SmallVector<char, 0> object;
    std::string messages;
    bool done = false;

    bool readArguments() {
        llvm::raw_string_ostream stream(messages);
        auto options = llvm::makeIntrusiveRefCnt<clang::DiagnosticOptions>();
        clang::DiagnosticsEngine errors(llvm::makeIntrusiveRefCnt<clang::DiagnosticIDs>(), options,
                                        new clang::TextDiagnosticPrinter(stream, options.get()));
        std::vector<const char*> pointers;
        for (const auto& argument : arguments) pointers.push_back(argument.c_str());
        return clang::CompilerInvocation::CreateFromArgs(prepared->invocation, pointers, errors);
    }
};

std::vector<std::string> ClangRunner::arguments() const {
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
                                  "-O2",
                                  "-target-cpu",
                                  cpu_};
    for (const auto& feature : features_) list.insert(list.end(), {"-target-feature", feature});
    return list;
}

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

Status ClangRunner::prepare() {
    auto run = std::make_shared<Run>();
    run->arguments = arguments();
    run->prepared = std::make_shared<Prepared>();
    BS_TRY(guarded(run, [run] {
        const std::vector<std::string> shared = run->arguments;
        for (auto& argument : run->arguments)
            if (argument == "c++") argument = "c++-header";
        run->arguments.insert(run->arguments.end(), {"-emit-pch", kHeader});
        if (!run->readArguments()) return;
        run->prepared->header =
            MemoryCompiler(run->prepared->invocation, "", "", run->messages).precompile();
        run->arguments = shared;
        run->arguments.insert(run->arguments.end(), {"-include-pch", kPrecompiled, kText});
        run->prepared->invocation = clang::CompilerInvocation();
        run->done = !run->prepared->header.empty() && run->readArguments();
    }));
    prepared_ = run->prepared;
    return {};
}

Result<std::string> ClangRunner::compile(const std::string& text, OptimizationLevel level) {
    if (prepared_ == nullptr) BS_TRY(prepare());
    auto run = std::make_shared<Run>();
    run->text = text;
    run->prepared = prepared_;
    BS_TRY(guarded(run, [run, emitter = emitter_, level] {
        llvm::LLVMContext context;
        const Prepared& prepared = *run->prepared;
        const auto module =
            MemoryCompiler(prepared.invocation, run->text, prepared.header, run->messages)
                .module(context);
        run->done = module != nullptr && emitter->emit(*module, level, run->object, run->messages);
    }));
    return std::string(run->object.data(), run->object.size());
}

} // namespace blueshift::compile
