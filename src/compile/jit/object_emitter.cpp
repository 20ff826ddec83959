#include "compile/jit/object_emitter.h"

#include <llvm/Analysis/CGSCCPassManager.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/IR/DiagnosticHandler.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>

namespace blueshift::compile {

namespace {

constexpr const char* kTriple = "x86_64-pc-linux-gnu";

/// Helpers of kernels/ are inlined, values live in registers, loops keep out what does not change.
constexpr const char* kFirstLevel =
    "function(sroa<modify-cfg>),always-inline,globaldce,"
    "function(sroa<modify-cfg>,early-cse<memssa>,simplifycfg,loop-mssa(licm),early-cse<memssa>,"
    "instcombine<no-verify-fixpoint>)";
constexpr const char* kSecondLevel =
    "function(sroa<modify-cfg>),always-inline,globaldce,"
    "function(sroa<modify-cfg>,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-rotate,licm),gvn,dse,simplifycfg)";
/// And loops that the text asks for are vectorised.
constexpr const char* kSecondLevelWithVectors =
    "function(sroa<modify-cfg>),always-inline,globaldce,"
    "function(sroa<modify-cfg>,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-rotate,licm),indvars,gvn,dse,"
    "loop-vectorize<no-interleave-forced-only;vectorize-forced-only>,"
    "instcombine<no-verify-fixpoint>,simplifycfg)";

/// The inliner would weigh each call, which takes half of the time of all passes: helpers are
/// small, and the functions of a text need not be merged.
void inlineHelpers(llvm::Module& module) {
    constexpr u32 kMostInstructions = 150;
    for (llvm::Function& function : module)
        if (!function.isDeclaration() && function.hasLinkOnceLinkage() &&
            function.getInstructionCount() <= kMostInstructions)
            function.addFnAttr(llvm::Attribute::AlwaysInline);
}

/// Switches of the code generator that only exist as options of the whole process; one thread
/// compiles at a time. Addresses in loops over columns are cheap as they are: rewriting them takes
/// a tenth of the time. At the first level the order of instructions is left to the processor.
void setSwitches(OptimizationLevel level) {
    const auto& options = llvm::cl::getRegisteredOptions();
    const auto set = [&](llvm::StringRef name, bool value) {
        const auto found = options.find(name);
        if (found != options.end())
            static_cast<llvm::cl::opt<bool>*>(found->second)->setValue(value);
    };
    set("disable-lsr", true);
    set("enable-misched", level != OptimizationLevel::kO1);
}

bool asksForVectors(const llvm::Module& module) {
    for (const llvm::Function& function : module)
        for (const llvm::BasicBlock& block : function)
            if (const llvm::Instruction* end = block.getTerminator())
                if (llvm::MDNode* loop = end->getMetadata(llvm::LLVMContext::MD_loop))
                    if (llvm::findOptionMDForLoopID(loop, "llvm.loop.vectorize.enable") != nullptr)
                        return true;
    return false;
}

const char* passesOf(OptimizationLevel level, const llvm::Module& module) {
    if (level == OptimizationLevel::kO1) return kFirstLevel;
    return asksForVectors(module) ? kSecondLevelWithVectors : kSecondLevel;
}

/// Without a handler LLVM prints its remarks, and ends the process at an error.
class KeepErrors final : public llvm::DiagnosticHandler {
public:
    explicit KeepErrors(std::string& messages) : messages_(messages) {}
    bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
        if (info.getSeverity() != llvm::DS_Error) return true;
        llvm::raw_string_ostream out(messages_);
        llvm::DiagnosticPrinterRawOStream printer(out);
        info.print(printer);
        return true;
    }

private:
    std::string& messages_;
};

} // namespace

ObjectEmitter::ObjectEmitter(std::string cpu, std::string features)
    : cpu_(std::move(cpu)), features_(std::move(features)) {}
ObjectEmitter::~ObjectEmitter() = default;

llvm::TargetMachine* ObjectEmitter::machineOf(OptimizationLevel level, std::string& messages) {
    auto& machine = machines_[size_t(level)];
    if (machine != nullptr) return machine.get();
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget(kTriple, messages);
    if (target == nullptr) return nullptr;
    const auto effort = level == OptimizationLevel::kO1 ? llvm::CodeGenOptLevel::Less
                                                        : llvm::CodeGenOptLevel::Default;
    machine.reset(target->createTargetMachine(kTriple, cpu_, features_, {}, llvm::Reloc::PIC_,
                                              llvm::CodeModel::Small, effort));
    return machine.get();
}

bool ObjectEmitter::emit(llvm::Module& module, OptimizationLevel level,
                         llvm::SmallVector<char, 0>& object, std::string& messages) {
    llvm::TargetMachine* machine = machineOf(level, messages);
    if (machine == nullptr) return false;
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager components;
    llvm::ModuleAnalysisManager modules;
    llvm::PassBuilder builder(machine);
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, components, modules);
    llvm::ModulePassManager passes;
    if (auto error = builder.parsePassPipeline(passes, passesOf(level, module))) {
        messages = llvm::toString(std::move(error));
        return false;
    }
    std::string errors;
    module.getContext().setDiagnosticHandler(std::make_unique<KeepErrors>(errors));
    setSwitches(level);
    inlineHelpers(module);
    passes.run(module, modules);
    llvm::legacy::PassManager code;
    llvm::raw_svector_ostream out(object);
    if (machine->addPassesToEmitFile(code, out, nullptr, llvm::CodeGenFileType::ObjectFile, true)) {
        messages = "no object can be written for this CPU";
        return false;
    }
    code.run(module);
    messages += errors;
    return errors.empty();
}

} // namespace blueshift::compile
